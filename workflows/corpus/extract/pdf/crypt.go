package pdf

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/md5"
	"crypto/rc4"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
)

// crypt decrypts a file that anybody may open and not everybody may print: its password for reading is empty.
// ISO 32000-2, 7.6.
type crypt struct {
	key  []byte
	aes  bool
	long bool // the key is the file's own, not the object's: AES-256
	none bool // streams and strings are not encrypted
}

var padding = []byte("\x28\xBF\x4E\x5E\x4E\x75\x8A\x41\x64\x00\x4E\x56\xFF\xFA\x01\x08\x2E\x2E\x00\xB6\xD0\x68\x3E\x80\x2F\x0C\xA9\xFE\x64\x53\x69\x7A")

// newCrypt finds the key that the empty password gives, or fails with ErrEncrypted.
func newCrypt(f *file, encrypt, trailer dict) (*crypt, error) {
	v, r := f.int(encrypt["V"]), f.int(encrypt["R"])
	if f.name(encrypt["Filter"]) != "Standard" {
		return nil, ErrEncrypted
	}
	c := &crypt{}
	if v >= 4 {
		method := f.name(f.dict(f.dict(encrypt["CF"])[f.name(encrypt["StmF"])])["CFM"])
		c.aes, c.none = method == "AESV2" || method == "AESV3", method == "" || method == "None"
	}
	owner, user := f.string(encrypt["O"]), f.string(encrypt["U"])
	if v == 5 {
		return c, c.newer(r, user, f.string(encrypt["UE"]))
	}
	bits := f.int(encrypt["Length"])
	size := 5
	if r >= 3 {
		size = min(max(bits, 40), 128) / 8
	}
	if v == 4 {
		size = 16
	}
	if v < 1 || v > 4 || len(owner) < 32 || len(user) < 16 {
		return nil, ErrEncrypted
	}
	h := md5.New()
	h.Write(padding)
	h.Write(owner[:32])
	p, _ := f.resolve(encrypt["P"]).(float64)
	_ = binary.Write(h, binary.LittleEndian, uint32(int64(p)))
	id := []byte{}
	if ids := f.array(trailer["ID"]); len(ids) > 0 {
		id = f.string(ids[0])
		h.Write(id)
	}
	if plainMetadata, ok := f.resolve(encrypt["EncryptMetadata"]).(bool); ok && !plainMetadata && r >= 4 {
		h.Write([]byte{255, 255, 255, 255})
	}
	key := h.Sum(nil)
	for i := 0; i < 50 && r >= 3; i++ {
		sum := md5.Sum(key[:size])
		key = sum[:]
	}
	c.key = key[:size]
	if !c.opens(r, user, id) {
		return nil, ErrEncrypted
	}
	return c, nil
}

// opens reports whether the key is the user's, of the older ways.
func (c *crypt) opens(r int, user, id []byte) bool {
	if r == 2 {
		return bytes.Equal(unRC4(c.key, padding), user[:min(32, len(user))])
	}
	sum := md5.Sum(append(bytes.Clone(padding), id...))
	b := sum[:]
	for i := range 20 {
		key := bytes.Clone(c.key)
		for k := range key {
			key[k] ^= byte(i)
		}
		b = unRC4(key, b)
	}
	return bytes.Equal(b, user[:16])
}

// newer finds the key of AES-256, which is kept encrypted with what the password gives.
func (c *crypt) newer(r int, user, kept []byte) error {
	if len(user) < 48 || len(kept) < 32 || r < 5 || r > 6 {
		return ErrEncrypted
	}
	hash := func(salt []byte) []byte {
		sum := sha256.Sum256(salt)
		if r == 5 {
			return sum[:]
		}
		return harden(sum[:])
	}
	if !bytes.Equal(hash(user[32:40]), user[:32]) {
		return ErrEncrypted
	}
	block, err := aes.NewCipher(hash(user[40:48]))
	if err != nil {
		return ErrEncrypted
	}
	c.key = make([]byte, 32)
	cipher.NewCBCDecrypter(block, make([]byte, 16)).CryptBlocks(c.key, kept[:32])
	c.long, c.aes = true, true
	return nil
}

// harden is algorithm 2.B of ISO 32000-2 for an empty password.
func harden(k []byte) []byte {
	for i := 0; ; i++ {
		k1 := bytes.Repeat(k, 64)
		block, err := aes.NewCipher(k[:16])
		if err != nil {
			return nil
		}
		cipher.NewCBCEncrypter(block, k[16:32]).CryptBlocks(k1, k1)
		mod := 0
		for _, b := range k1[:16] {
			mod += int(b)
		}
		switch mod % 3 {
		case 0:
			sum := sha256.Sum256(k1)
			k = sum[:]
		case 1:
			sum := sha512.Sum384(k1)
			k = sum[:]
		default:
			sum := sha512.Sum512(k1)
			k = sum[:]
		}
		if i >= 63 && int(k1[len(k1)-1]) <= i-32 {
			return k[:32]
		}
	}
}

func unRC4(key, b []byte) []byte {
	c, err := rc4.NewCipher(key)
	if err != nil {
		return nil
	}
	out := make([]byte, len(b))
	c.XORKeyStream(out, b)
	return out
}

// decrypt is what the bytes of an object are.
func (c *crypt) decrypt(number int, b []byte) []byte {
	key := c.key
	if !c.long {
		seed := append(bytes.Clone(key), byte(number), byte(number>>8), byte(number>>16), 0, 0)
		if c.aes {
			seed = append(seed, "sAlT"...)
		}
		sum := md5.Sum(seed)
		key = sum[:min(16, len(c.key)+5)]
	}
	if !c.aes {
		return unRC4(key, b)
	}
	block, err := aes.NewCipher(key)
	if err != nil || len(b) < 32 {
		return nil
	}
	out := make([]byte, (len(b)-16)/16*16)
	cipher.NewCBCDecrypter(block, b[:16]).CryptBlocks(out, b[16:16+len(out)])
	if pad := int(out[len(out)-1]); pad >= 1 && pad <= 16 {
		out = out[:len(out)-pad]
	}
	return out
}

// stream is the bytes of a stream, decrypted.
func (c *crypt) stream(s *stream) []byte {
	if c == nil || c.none || s.dict["Type"] == name("XRef") {
		return s.raw
	}
	return c.decrypt(s.key, s.raw)
}

// object is an object with its strings decrypted, those of its dictionary as well.
func (c *crypt) object(number int, o any) any {
	if c == nil || c.none {
		return o
	}
	switch o := o.(type) {
	case text:
		return text(c.decrypt(number, []byte(o)))
	case dict:
		for k, v := range o {
			if s, ok := v.(text); ok {
				o[k] = text(c.decrypt(number, []byte(s)))
			}
		}
	}
	return o
}

func (f *file) string(o any) []byte {
	s, _ := f.resolve(o).(text)
	return []byte(s)
}
