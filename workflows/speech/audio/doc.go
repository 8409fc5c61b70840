// Package audio reads what models of speech answer, and makes one recording of many: it tells a format by its bytes ([Sniff]) and how long a
// recording is ([Duration]), joins parts of WAV and of MP3 ([Join], [StripTags]), and speaks faster or slower ([Stretch]).
//
// It decodes no compressed sound, and holds no recording: WAV is read as a view of its bytes ([ReadWAV]) and joined part by part, because hours of
// speech are several times the memory of a Worker. How long every part is, and where it begins, is known from the sizes alone.
//
// # What does not work
//
// WAV is of 16 bits only, and of 4 GiB at most. Ogg Opus is not joined: a chain of streams is legal and few players play all of it. Parts of MP3
// keep the silence that their encoder put around them, some hundredths of a second. A FLAC stream that does not say its length has none here. A
// recording of Ogg Opus that was cut out of a longer one is taken to begin at its beginning.
package audio
