// Package answer makes answers that claim nothing their sources do not say.
//
// A question and its sources (rag.Source) become a prompt, by a template with a version; a model answers; and each sentence of what
// it said is held against the sources: the one it cites, or, where it cites none or a wrong one, the others. A sentence that no source says is
// marked, or dropped. Where already the sources tell that they do not answer the question no model is asked.
//
// What checks a sentence (Evidence) is pure: words weighed by how rare they are among the sources, in the best few
// sentences of a source; numbers, names and negations must be the same. It knows no meaning: what is said in other words than the source's is
// not recognised, and two names that changed their places are not noticed.
package answer
