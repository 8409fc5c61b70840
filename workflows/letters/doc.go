// Package letters keeps dead letters: messages that nobody could handle, with why, so that people can look at them and have
// them sent again.
package letters
