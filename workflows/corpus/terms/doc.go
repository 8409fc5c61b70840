// Package terms makes the terms of a text: what the lexical index compares, byte by byte, the same for a document as for a
// question. There are valid terms only: letters and digits, lower case where ASCII, of 1 to 64 bytes.
//
// # Words
//
// A word is a run of letters and digits of one script, folded: case, the marks on Latin and Greek letters, vowel signs and
// spellings of Arabic, points and final letters of Hebrew, nukta of Hindi, full and half width. "1,000" is 1000. An
// apostrophe ends a word, and the owner's s is dropped.
//
// English words are stemmed by Porter's second algorithm. German, French, Spanish, Italian, Portuguese, Dutch, the Scandinavian
// languages, Russian, Arabic and Hindi lose number, gender and case. Which of them a text is in is told by its
// function words, and by letters that few languages have; a question of which that cannot be told is asked in all of them.
//
// Long words of languages that write several as one (German, Dutch, Scandinavian, and all that have no stemmer here) have their
// beginning and end as terms of their own, so that a compound is found by its first and by its last word.
//
// Where there are no spaces, terms overlap: two signs of Chinese, Japanese and Korean (and each Chinese sign), three letters of
// Thai, Lao, Khmer, Burmese and Tibetan.
//
// # What does not work
//
// Simplified and traditional Chinese are different, as are "Mueller" and "Müller", and names in different scripts. Irregular
// forms (mice, went, ging) are words of their own. Compounds of more than two words are known by their ends alone. Verbs of
// languages other than English mostly keep their forms. A text in two languages is stemmed in the one it has more of.
//
// # Cost
//
// Two passes over a text, and one allocation for all of its terms.
package terms
