// Package entity finds names, dates, amounts and addresses in a text, by rules and by checks: an address is one that can be, a day is one that
// the calendar has, an account number has the right check digits.
//
// Persons, organizations and locations are told by capital letters and by what stands around them: titles, first names, the words that companies and
// places have in their names, prepositions, and lists of countries and large cities. Texts in English, German, French, Spanish, Portuguese,
// Italian and Dutch have most of them found. In scripts without capital letters only what is in a list is found, or has a title or an ending that
// says what it is.
//
// # What does not work
//
// A name that nothing stands beside is left out rather than guessed, so much is missed that a model would find. In German, where every noun has a
// capital letter, more is needed than in other languages. "Washington" is a place wherever no first name or title says otherwise,
// and "Victoria" a person wherever no place's word is beside it. A storm or a firm with a person's name is taken for the person.
package entity
