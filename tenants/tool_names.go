package tenants

// PlatformTools are the names of the tools that the platform has. The tools themselves are in workflows/tools/builtin, which this package
// cannot see; a test there compares. levada new tool adds to it.
func PlatformTools() []string {
	return []string{
		"calculator",
		"classify_intent",
		"extract_entities",
		"ingest_docs",
		"search_docs",
		"summarize",
		"tag_chunk_docs",
	}
}
