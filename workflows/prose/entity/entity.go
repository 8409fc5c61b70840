package entity

import (
	"cmp"
	"context"
	"slices"
)

// Type is what an entity is.
type Type string

// The types.
const (
	Person       Type = "PERSON"
	Organization Type = "ORGANIZATION"
	Location     Type = "LOCATION"
	Email        Type = "EMAIL"
	URL          Type = "URL"
	IPAddress    Type = "IP_ADDRESS"
	IBAN         Type = "IBAN"
	CreditCard   Type = "CREDIT_CARD"
	Phone        Type = "PHONE"
	Date         Type = "DATE"
	Time         Type = "TIME"
	Money        Type = "MONEY"
	Percent      Type = "PERCENT"
	Number       Type = "NUMBER"
)

// Types are all of them.
var Types = []Type{Person, Organization, Location, Email, URL, IPAddress, IBAN, CreditCard, Phone, Date, Time, Money, Percent, Number}

// Entity is a part of a text, in bytes, that is of a type.
type Entity struct {
	Type     Type
	From, To int
}

// Find is the entities of a text in their order. No two share a byte: what is more certain comes first, so the year of a day is no number.
func Find(ctx context.Context, text string) ([]Entity, error) {
	f := &finder{text: text, taken: make([]bool, len(text))}
	f.tokens = tokensOf(text)
	for _, look := range []func(*finder){
		(*finder).urls, (*finder).emails, (*finder).ips, (*finder).accounts, (*finder).dates, (*finder).times, (*finder).amounts,
		(*finder).phones, (*finder).names, (*finder).numbers,
	} {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		look(f)
	}
	slices.SortFunc(f.found, func(x, y Entity) int { return cmp.Compare(x.From, y.From) })
	return f.found, nil
}

// finder goes through a text.
type finder struct {
	text   string
	tokens []token
	taken  []bool // bytes that are an entity's
	found  []Entity

	language string // of the text, once names are looked for
}

// take notes an entity, unless a part of it is another's.
func (f *finder) take(t Type, from, to int) bool {
	if from >= to || slices.Contains(f.taken[from:to], true) {
		return false
	}
	for i := from; i < to; i++ {
		f.taken[i] = true
	}
	f.found = append(f.found, Entity{t, from, to})
	return true
}

// takeTokens notes the entity from a token up to before another.
func (f *finder) takeTokens(t Type, i, j int) bool {
	return f.take(t, f.tokens[i].from, f.tokens[j-1].to)
}

// free reports whether a token is nobody's.
func (f *finder) free(i int) bool { return !f.taken[f.tokens[i].from] }
