package main

// word is what tests edit, in a copy.
const word = "none"
