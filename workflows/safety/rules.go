package safety

// rule is concepts that are an attack where they stand near each other. The first one is the rarest: the others are looked for around it.
type rule struct {
	name   string
	kind   Kind
	score  float64
	within int32 // half words
	key    concept
	needs  uint64 // bits of the concepts
	not    uint64 // none of these
}

// rules are in the order of their scores; the first one that fits says what it was.
var rules = [...]rule{
	{"override", Injection, 0.97, 18, cIgnore, 1<<cIgnore | 1<<cPrevious | 1<<cRules, 1 << cMine},
	{"override", Injection, 0.95, 16, cIgnore, 1<<cIgnore | 1<<cSystem, 0},
	{"fake_turn", Injection, 0.95, 40, cMark, 1<<cMark | 1<<cIgnore, 0},
	{"fake_turn", Injection, 0.95, 40, cMark, 1<<cMark | 1<<cFree, 0},
	{"fake_turn", Injection, 0.9, 30, cMark, 1<<cMark | 1<<cRules, 0},
	{"fake_turn", Injection, 0.85, 30, cMark, 1<<cMark | 1<<cRole, 0},
	{"fake_turn", Injection, 0.85, 30, cMark, 1<<cMark | 1<<cMode, 0},
	{"extraction", Injection, 0.92, 16, cSystem, 1<<cSystem | 1<<cTell, 1 << cHow},
	{"extraction", Injection, 0.9, 14, cSystem, 1<<cSystem | 1<<cYour, 0},
	{"extraction", Injection, 0.85, 14, cTold, 1<<cTold | 1<<cRules, 1 << cHow},
	{"extraction", Injection, 0.85, 16, cTold, 1<<cTold | 1<<cTell | 1<<cAbove, 0},
	{"extraction", Injection, 0.85, 14, cAbove, 1<<cAbove | 1<<cTell, 1 << cAbout},
	{"override", Injection, 0.9, 14, cAbove, 1<<cAbove | 1<<cIgnore, 1 << cMine},
	{"persona", Jailbreak, 0.95, 24, cPersona, 1<<cPersona | 1<<cRole, 0},
	{"persona", Jailbreak, 0.9, 24, cPersona, 1<<cPersona | 1<<cFree, 0},
	{"persona", Jailbreak, 0.85, 24, cPersona, 1<<cPersona | 1<<cMode, 0},
	{"unbound", Jailbreak, 0.9, 28, cFree, 1<<cFree | 1<<cRole, 1 << cHow},
	{"unbound", Jailbreak, 0.85, 20, cFree, 1<<cFree | 1<<cModel, 1 << cHow},
	{"unbound", Jailbreak, 0.8, 18, cFree, 1<<cFree | 1<<cHarm, 0},
	{"unbound", Jailbreak, 0.8, 18, cFree, 1<<cFree | 1<<cObey, 0},
	{"unbound", Jailbreak, 0.8, 16, cFree, 1<<cFree | 1<<cYour, 1 << cHow},
	{"unbound", Jailbreak, 0.8, 24, cFree, 1<<cFree | 1<<cStory, 1 << cHow},
	{"mode", Jailbreak, 0.85, 20, cMode, 1<<cMode | 1<<cRole, 1 << cHow},
	{"mode", Jailbreak, 0.85, 20, cMode, 1<<cMode | 1<<cSafety, 1 << cHow},
	{"mode", Jailbreak, 0.8, 24, cMode, 1<<cMode | 1<<cFree, 0},
	{"mode", Jailbreak, 0.8, 24, cMode, 1<<cMode | 1<<cIgnore, 0},
	{"mode", Injection, 0.75, 24, cMode, 1<<cMode | 1<<cSecret, 1 << cHow},
	{"mode", Injection, 0.75, 24, cMode, 1<<cMode | 1<<cObey, 0},
	{"mode", Injection, 0.75, 20, cMode, 1<<cMode | 1<<cModel, 1 << cHow},
	{"safety_off", Jailbreak, 0.85, 14, cSafety, 1<<cSafety | 1<<cBreak, 1<<cHow | 1<<cAbout},
	{"safety_off", Jailbreak, 0.85, 24, cSafety, 1<<cSafety | 1<<cIgnore | 1<<cYour, 0},
	{"override", Injection, 0.85, 10, cIgnore, 1<<cIgnore | 1<<cYour | 1<<cRules, 1 << cHow},
	{"override", Injection, 0.8, 30, cNew, 1<<cNew | 1<<cIgnore, 0},
	{"override", Injection, 0.75, 16, cNew, 1<<cNew | 1<<cPrevious | 1<<cRules, 0},
	{"override", Injection, 0.7, 20, cNew, 1<<cNew | 1<<cYour | 1<<cRules, 1 << cHow},
	{"override", Injection, 0.75, 12, cIgnore, 1<<cIgnore | 1<<cRules | 1<<cAll, 1 << cHow},
	{"override", Injection, 0.75, 24, cIgnore, 1<<cIgnore | 1<<cPrevious | 1<<cState, 0},
	{"indirect", Injection, 0.85, 24, cIgnore, 1<<cIgnore | 1<<cDocument | 1<<cState, 0},
	{"indirect", Injection, 0.8, 40, cAddress, 1<<cAddress | 1<<cIgnore, 0},
	{"indirect", Injection, 0.8, 40, cAddress, 1<<cAddress | 1<<cState, 0},
	{"indirect", Injection, 0.8, 40, cAddress, 1<<cAddress | 1<<cSend, 0},
	{"indirect", Injection, 0.75, 40, cAddress, 1<<cAddress | 1<<cObey, 0},
	{"indirect", Injection, 0.75, 40, cAddress, 1<<cAddress | 1<<cTell, 1 << cHow},
	{"indirect", Injection, 0.8, 40, cHush, 1<<cHush | 1<<cSend, 0},
	{"indirect", Injection, 0.7, 30, cHush, 1<<cHush | 1<<cTell, 1 << cHow},
	{"exfiltration", Injection, 0.7, 20, cSend, 1<<cSend | 1<<cYour | 1<<cSecret, 1 << cHow},
	{"authority", Injection, 0.85, 40, cAuthority, 1<<cAuthority | 1<<cObey, 0},
	{"authority", Injection, 0.85, 40, cAuthority, 1<<cAuthority | 1<<cIgnore, 0},
	{"authority", Injection, 0.85, 40, cAuthority, 1<<cAuthority | 1<<cSecret, 0},
	{"authority", Injection, 0.8, 40, cAuthority, 1<<cAuthority | 1<<cState, 0},
	{"authority", Injection, 0.7, 40, cAuthority, 1<<cAuthority | 1<<cTell | 1<<cYour, 0},
	{"secret", Injection, 0.75, 12, cSecret, 1<<cSecret | 1<<cTell | 1<<cYour, 1 << cHow},
	{"secret", Injection, 0.75, 12, cSecret, 1<<cSecret | 1<<cWhat | 1<<cYour, 1 << cHow},
	{"secret", Injection, 0.6, 10, cSecret, 1<<cSecret | 1<<cTell, 1 << cHow},
	{"secret", Injection, 0.55, 9, cSecret, 1<<cSecret | 1<<cWhat, 1 << cHow},
	{"secret", Injection, 0.65, 24, cSecret, 1<<cSecret | 1<<cStory, 1 << cHow},
	{"secret", Injection, 0.7, 30, cSecret, 1<<cSecret | 1<<cSplit, 1 << cHow},
	{"secret", Injection, 0.7, 40, cSecret, 1<<cSecret | 1<<cIgnore, 1 << cHow},
	{"indirect", Injection, 0.6, 16, cIgnore, 1<<cIgnore | 1<<cState, 1<<cMine | 1<<cHow},
	{"planted", Injection, 0.7, 20, cPwned, 1<<cPwned | 1<<cState, 0},
	{"planted", Injection, 0.7, 30, cPwned, 1<<cPwned | 1<<cIgnore, 0},
	{"split", Injection, 0.6, 30, cSplit, 1<<cSplit | 1<<cRules | 1<<cPrevious, 0},
	{"story", Jailbreak, 0.6, 24, cStory, 1<<cStory | 1<<cSafety, 1 << cHow},
	{"story", Jailbreak, 0.65, 24, cStory, 1<<cStory | 1<<cIgnore | 1<<cRules, 0},
	{"story", Jailbreak, 0.6, 20, cStory, 1<<cStory | 1<<cHarm | 1<<cBreak, 0},
	{"rules", Injection, 0.6, 10, cRules, 1<<cRules | 1<<cYour | 1<<cWhat, 1 << cHow},
	{"rules", Injection, 0.6, 10, cRules, 1<<cRules | 1<<cYour | 1<<cTell | 1<<cAll, 1 << cHow},
}

// judge finds the rule of the highest score that fits. Quoted is the part of the text, if any, that somebody who writes about attacks quotes.
func judge(hits []hit) Verdict {
	var keys uint64
	for i := range rules {
		keys |= 1 << rules[i].key
	}
	var best Verdict
	for i, h := range hits {
		if keys>>h.means&1 == 0 {
			continue
		}
		for r := range rules {
			if rule := &rules[r]; rule.key == h.means && rule.score > best.Score && rule.fits(hits, i) {
				best = Verdict{rule.kind, rule.score, rule.name}
			}
		}
	}
	return best
}

// fits looks for what the rule needs around its key, each concept at a place of its own or within another's word.
func (r *rule) fits(hits []hit, i int) bool {
	at := hits[i].at
	var have uint64
	for k := i; k >= 0 && at-hits[k].at <= r.within; k-- {
		have |= 1 << hits[k].means
	}
	for k := i + 1; k < len(hits) && hits[k].at-at <= r.within; k++ {
		have |= 1 << hits[k].means
	}
	return have&r.needs == r.needs && have&r.not == 0
}
