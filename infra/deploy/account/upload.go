package account

import (
	"bytes"
	"encoding/json"
	"mime/multipart"
	"net/textproto"
)

// Module is one file of a Worker. Its name is what other modules import it by.
type Module struct {
	Name, Type string
	Body       []byte
}

// The types of modules.
const (
	ESModule = "application/javascript+module"
	Wasm     = "application/wasm"
)

// Upload is a Worker's metadata and modules, as a body of Do: cloudflare-go takes whatever has MarshalMultipart, and its own types for
// this have no modules.
type Upload struct {
	Metadata any
	Modules  []Module
}

// MarshalMultipart makes the body and its content type.
func (u Upload) MarshalMultipart() ([]byte, string, error) {
	metadata, err := json.Marshal(u.Metadata)
	if err != nil {
		return nil, "", err
	}
	return Parts(append([]Module{{Name: "", Type: "application/json", Body: metadata}}, u.Modules...)).MarshalMultipart()
}

// Parts is files alone, as a body of Do. The one without a name is the metadata.
type Parts []Module

// MarshalMultipart makes the body and its content type.
func (p Parts) MarshalMultipart() ([]byte, string, error) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for _, m := range p {
		disposition := `form-data; name="metadata"`
		if m.Name != "" {
			disposition = multipart.FileContentDisposition(m.Name, m.Name)
		}
		part, err := w.CreatePart(textproto.MIMEHeader{"Content-Disposition": {disposition}, "Content-Type": {m.Type}})
		if err != nil {
			return nil, "", err
		}
		if _, err := part.Write(m.Body); err != nil {
			return nil, "", err
		}
	}
	if err := w.Close(); err != nil {
		return nil, "", err
	}
	return b.Bytes(), w.FormDataContentType(), nil
}
