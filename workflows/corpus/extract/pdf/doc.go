// Package pdf takes the text out of PDF files.
//
// It reads a file as a program that repairs one does: cross-reference tables are not looked at, all objects are found where
// they stand, and of several with a number the last counts. So a file with a wrong table, or none, is read like any other, and
// no table can lead in circles. Text comes in the order in which the pages draw it, which is the order of reading in what
// people write with; spaces and lines are found from where the glyphs stand.
//
// The file is a stranger's. Every stream is unpacked up to a limit, and so are all of them together; nothing is nested, followed
// or repeated more often than a constant says. The libraries that were tried do not bound that, or do not find the text: see
// docs/decisions/0004-dependencies.md.
//
// What it does not do: fonts that say neither what their glyphs mean nor how they are encoded give no text, vertical
// writing is read as if it were horizontal, and pictures of text are pictures.
package pdf
