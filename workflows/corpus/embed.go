package corpus

// ToEmbed is what of a chunk an embedding model reads: its text below the document's title and its own headings, without which a
// paragraph often does not say what it is about. Whoever embeds chunks embeds this, or their vectors do not compare.
func ToEmbed(title, heading, text string) string {
	above := title
	if heading != "" && heading != title {
		if above != "" {
			above += "\n"
		}
		above += heading
	}
	if above == "" {
		return text
	}
	return above + "\n" + text
}
