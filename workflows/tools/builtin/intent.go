package builtin

import (
	"math"
	"slices"
	"strings"

	"levada.dev/workflows/corpus/terms"
)

// intent is a category, and what texts of it are like.
type intent struct {
	name    string
	meaning string // what the text is compared with
}

// intents are those that a text is compared with when the caller names none. Their words are of several languages, as those of the texts are.
func intents() []intent {
	return []intent{
		{"greeting", "greeting: hello, hi there, good morning, hey, hallo, guten Tag, bonjour, hola, olá, ciao"},
		{"question", "question: what is it, how does it work, when, where, why, who, which, can you explain, is it possible, was ist, wie funktioniert, comment, pourquoi, cómo, qué, como, o que é"},
		{"request", "request: please do this for me, could you send me, I would like you to, I need you to, make, arrange, schedule, book, bitte, ich möchte, s'il vous plaît, por favor, quiero"},
		{"complaint", "complaint: this is unacceptable, I am very disappointed and angry, terrible bad service, worst, nobody answers, Beschwerde, enttäuscht, réclamation, queja, reclamação"},
		{"feedback", "feedback: thank you, I love it, great work, excellent, a suggestion to improve, it would be nice if, danke, super, merci, gracias, obrigado"},
		{"purchase", "purchase: I want to buy, order, how much does it cost, price, quote, in stock, discount, upgrade plan, kaufen, bestellen, acheter, comprar"},
		{"cancellation", "cancellation: cancel my subscription, stop the order, close, terminate the contract, unsubscribe, do not renew, Vertrag kündigen, stornieren, annuler, cancelar"},
		{"billing", "billing: invoice, payment, charged twice, refund, money back, credit card, receipt, Rechnung, Zahlung, facture, remboursement, factura, fatura, reembolso"},
		{"technical_support", "technical support: it does not work, error message, crash, broken, bug, cannot install, fails to load, slow, Fehler, funktioniert nicht, panne, erreur, erro, no funciona"},
		{"account", "account: log in, password reset, cannot sign in, change my email address, user name, profile, delete my account, Konto, Passwort, compte, mot de passe, cuenta, contraseña, conta, senha"},
		{"shipping", "shipping: where is my package, delivery, tracking number, has not arrived, shipped, courier, Lieferung, Paket, livraison, colis, envío, paquete, entrega, encomenda"},
		{"farewell", "farewell: goodbye, bye, see you later, have a nice day, tschüss, auf Wiedersehen, au revoir, adiós, adeus, até logo"},
	}
}

// ownIntent is a category that a caller named.
func ownIntent(name string) intent {
	return intent{name, strings.NewReplacer("_", " ", "-", " ", "/", " ").Replace(name)}
}

// The weight of the model's cosine beside the words, and how far apart scores have to be for one to be e times as likely. Both
// are measured with the local platform's encoder and without any (infra/dev/localai, TestIntentsOfMessages); other models have not been.
const (
	weightOfMeaning = 0.6
	temperature     = 0.06
)

// wordScores is how much of a text's words each intent has, 0 to 1: rare words among the intents count more, and words that
// every sentence has hardly count.
func wordScores(text string, all []intent) []float64 {
	in := terms.LanguageOf(text)
	said := termsOf(text, in)
	has := make([]map[string]bool, len(all))
	count := map[string]int{}
	for i, x := range all {
		has[i] = map[string]bool{}
		for _, t := range termsOf(x.meaning, in) {
			has[i][t.text] = true
			count[t.text]++
		}
	}
	scores, whole := make([]float64, len(all)), 0.0
	for _, t := range said {
		if count[t.text] == 0 {
			continue
		}
		w := math.Log(1 + float64(len(all))/float64(count[t.text]))
		if t.function {
			w /= 4
		}
		whole += w
		for i := range all {
			if has[i][t.text] {
				scores[i] += w
			}
		}
	}
	// What no intent has says nothing, but a text with one word among many that say nothing is not sure.
	for i := range scores {
		scores[i] /= whole + 1
	}
	return scores
}

// term is a term of a text; a function word is one that most sentences have.
type term struct {
	text     string
	function bool
}

// termsOf are the terms of a text, each once.
func termsOf(text string, in terms.Language) []term {
	var out []term
	seen := map[string]bool{}
	for _, p := range terms.Places(text, in) {
		for _, t := range p.Terms {
			if !seen[t] {
				seen[t] = true
				out = append(out, term{t, p.Function})
			}
		}
	}
	return out
}

// nearest is which score is the highest, and how likely that is among all.
func nearest(scores []float64) (best int, confidence float64) {
	best = slices.Index(scores, slices.Max(scores))
	sum := 0.0
	for _, s := range scores {
		sum += math.Exp((s - scores[best]) / temperature)
	}
	return best, math.Round(1000/sum) / 1000
}
