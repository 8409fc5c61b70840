package entity

// titled says what a run is that begins with a title, which is no part of a person's name. ok is false when its title tells nothing.
func (f *finder) titled(r *run) (t Type, ok bool) {
	i := r.from
	for i < r.to && (titles()[f.at(i).lower] || i > r.from && (f.at(i).said == "." || f.at(i).said == "-" && titles()[f.at(i+1).lower])) {
		i++
	}
	if i == r.from || i == r.to {
		return "", false
	}
	title, rest := f.at(r.from).lower, f.tokens[i:r.to]
	switch {
	case f.person(rest):
	case rest[0].said == rest[0].lower && places()[rest[len(rest)-1].lower]: // König von Frankreich
		r.from = r.to - 1
		return Location, true
	case rest[0].said == rest[0].lower && !noble()[rest[0].lower]: // Herr und Frau
		return "", false
	case (len(rest) > 1 || common()[title]) && f.corporate(f.tokens[r.from:r.to]): // General Motors, Dr. Miller Foundation
		if peoples(rest[0].lower) { // President European Commission
			r.from = i
		}
		return Organization, true
	case !address()[title] && (peoples(rest[0].lower) && !firstNames()[rest[0].lower] || common()[title] && offices()[rest[0].lower]), things()[rest[len(rest)-1].lower]:
		return "", false
	}
	r.from = i
	return Person, true
}

// nameLike reports whether words can be a person's name where little says so: they are no adjective, no abbreviation and no word of every day.
func (f *finder) nameLike(words []token) bool {
	first, last := words[0], words[len(words)-1]
	return !first.capitals() && !plainWords()[first.lower] && (!plainWords()[last.lower] || last.said == "I") && !peoples(first.lower)
}

// determiner reports whether a word stands before things rather than names. In English alone is "a" one: Portuguese says "a Maria".
func (f *finder) determiner(t token) bool {
	return determiners()[t.lower] || f.language == "en" && t.lower == "a"
}
