package rag

import (
	"strings"
	"unicode"
)

// Intent is what somebody seems to want with what they wrote.
type Intent string

// The intents. They are told to who asks and change nothing of a search.
const (
	IntentQuestion   Intent = "question"   // an answer
	IntentLookup     Intent = "lookup"     // whatever there is about some words
	IntentNavigation Intent = "navigation" // a certain document or page
	IntentChitchat   Intent = "chitchat"   // nothing that a document could tell
)

// IntentOf guesses an intent by rules, in this order:
//
//	chitchat    nothing but words of greeting and thanks, six at most
//	navigation  a name of a file, an address of the web, or a beginning such as "open", "show me", "go to"
//	question    a question mark at the end, or a question word or an auxiliary verb at the beginning
//	lookup      everything else
//
// The words are English, German, French, Spanish, Portuguese and Italian, and the question words of Chinese and Japanese; in other languages
// a question without its mark is a lookup. "Tell me how ..." is a question, "the question of ..." is not.
func IntentOf(text string) Intent {
	words := plainWords(text)
	switch {
	case chats(words):
		return IntentChitchat
	case navigates(text, words):
		return IntentNavigation
	case questions(text, words):
		return IntentQuestion
	}
	return IntentLookup
}

func chats(words []string) bool {
	greets := false
	for _, w := range words {
		if !greeting[w] && !filler[w] {
			return false
		}
		greets = greets || greeting[w]
	}
	return greets && len(words) <= 6
}

func navigates(text string, words []string) bool {
	for field := range strings.FieldsSeq(text) {
		field = strings.TrimFunc(field, func(r rune) bool { return unicode.IsPunct(r) && r != '/' })
		if strings.Contains(field, "://") || strings.HasPrefix(field, "www.") || names(field) {
			return true
		}
	}
	if len(words) < 2 {
		return false
	}
	return opening[words[0]] && !asking[words[1]] && (len(words) < 3 || words[1] != "me" || !asking[words[2]])
}

// names reports whether a word is the name of a file: with an ending that documents have.
func names(field string) bool {
	dot := strings.LastIndexByte(field, '.')
	return dot > 0 && endings[strings.ToLower(field[dot+1:])]
}

func questions(text string, words []string) bool {
	text = strings.TrimRightFunc(text, func(r rune) bool { return unicode.IsSpace(r) || r == '"' || r == ')' || r == '»' || r == '”' })
	for _, mark := range []string{"?", "？", "؟", ";", "吗", "呢", "か"} {
		// A semicolon is a question mark in Greek alone.
		if strings.HasSuffix(text, mark) && (mark != ";" || strings.ContainsFunc(text, func(r rune) bool { return unicode.Is(unicode.Greek, r) })) {
			return true
		}
	}
	for _, word := range []string{"什么", "怎么", "为什么", "哪", "谁", "多少", "何", "誰", "どこ", "なぜ", "いつ"} {
		if strings.Contains(text, word) {
			return true
		}
	}
	if len(words) == 0 {
		return false
	}
	if asking[words[0]] || len(words) > 2 && verbs[words[0]] {
		return true
	}
	return len(words) > 2 && (words[0] == "tell" || words[0] == "explain") && (asking[words[1]] || asking[words[2]])
}

var (
	greeting = wordSet("hi hello hey hallo moin servus danke dankeschön thanks thank thx bye goodbye tschüss bonjour salut merci hola gracias adiós ciao grazie olá obrigado obrigada ok okay cool great super")
	filler   = wordSet("you there good morning evening day guten morgen tag abend sehr schön very much so a lot all vielen dank für alles beaucoup muchas mille muito")
	opening  = wordSet("open show display goto go find öffne öffnen zeige zeig gehe ouvre ouvrir affiche montre abre abrir muestra mostra apri")
	asking   = wordSet("what who whom whose when where why how which was wer wen wem wessen wann wo wohin woher warum wieso weshalb wie welche welcher welches welchem welchen womit wozu wofür " +
		"quoi qui quand où pourquoi comment combien quel quelle quels quelles qué quién quiénes cuándo dónde cómo cuánto cuánta cuántos cuál cuáles " +
		"quem quando onde porquê quanto quantos qual quais chi cosa dove perché come quanti quale quali")
	verbs   = wordSet("is are was were do does did can could may might must shall should will would has have had ist sind war waren kann können darf dürfen muss müssen soll sollte hat haben gibt est peut es puede è")
	endings = wordSet("pdf doc docx odt txt md html htm csv xlsx xls pptx json xml epub rtf")
)
