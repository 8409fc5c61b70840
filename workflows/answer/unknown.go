package answer

// unknowns say that there is no answer.
var unknowns = map[string]string{
	"en": "The documents do not answer this question.",
	"de": "Die Dokumente beantworten diese Frage nicht.",
	"fr": "Les documents ne répondent pas à cette question.",
	"es": "Los documentos no responden a esta pregunta.",
	"it": "I documenti non rispondono a questa domanda.",
	"pt": "Os documentos não respondem a esta pergunta.",
	"nl": "De documenten beantwoorden deze vraag niet.",
}

// Unknown says that the documents do not answer: in the tenant's own words, where it has some, or in the question's language.
func Unknown(question, own string) string {
	if own != "" {
		return own
	}
	if text, ok := unknowns[language(question)]; ok {
		return text
	}
	return unknowns["en"]
}
