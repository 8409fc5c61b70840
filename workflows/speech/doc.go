// Package speech speaks texts: what may be asked for, who speaks it, and what is kept of it.
//
// A text is cut into parts (package cut), each of which a model speaks at once (Synthesizer). What came is kept part by part (Sounds), and the
// tenant's Booth notes it, so whoever goes on after a crash speaks what is missing alone. Nothing is joined: the parts are stored so that one after
// the other, behind one header, is the file (Tape). Equal requests of a tenant are one take, which its jobs share (Desk).
package speech
