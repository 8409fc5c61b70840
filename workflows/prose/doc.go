// Package prose reads running text, as far as that goes by counting and by rules: its sentences ([Sentences]), the ones that say most of it
// ([Summarize]), and the words that it is about ([Tags]). Names and numbers in it are found by package entity.
//
// The same text has the same answer, everywhere. What it takes grows with the length of the text and hardly faster, whatever the text is.
//
// # What does not work
//
// It knows no meaning. A summary is made of the text's own sentences, which may lean on others that are left out. Languages without spaces are read
// by pairs of signs, so their tags are pairs where the text has no shorter run of signs.
package prose
