package audio

import (
	"encoding/binary"
	"time"
)

func isFLAC(b []byte) bool { return len(b) >= 4 && string(b[:4]) == "fLaC" }

// lengthFLAC is how long a FLAC says that it is, in its first block (RFC 9639); 0 when it does not.
func lengthFLAC(b []byte) time.Duration {
	if len(b) < 26 || b[4]&0x7F != 0 {
		return 0
	}
	v := binary.BigEndian.Uint64(b[18:]) // 20 bits rate, 3 channels, 5 bits a sample, 36 samples
	return span(int64(v&(1<<36-1)), int(v>>44))
}
