// Package letters keeps dead letters: messages that nobody could handle, with why, so that people can look at them and have
// them sent again. What a tenant's box decides is in workflows/letters/book, who sends again in producers/replay.
package letters
