package markup_test

import (
	"encoding/xml"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"levada.dev/workflows/corpus/markup"
)

// read reads to the end and counts the elements.
func read(r io.Reader, left int64) (elements int, err error) {
	d := markup.NewDecoder(r, &left)
	for {
		t, err := d.Token()
		if err == io.EOF {
			return elements, nil
		}
		if err != nil {
			return elements, err
		}
		if _, ok := t.(xml.StartElement); ok {
			elements++
		}
	}
}

func TestDecoderReadsWhatIsLongButNotAtOnce(t *testing.T) {
	n, err := read(strings.NewReader("<a>"+strings.Repeat("<b>text</b>", 500_000)+"</a>"), 16<<20)
	assert.NoError(t, err)
	assert.Equal(t, 500_001, n)
}

func TestDecoderHoldsNoTokenThatIsTooLong(t *testing.T) {
	long := strings.Repeat("<>", markup.MaxToken)
	for name, text := range map[string]string{
		"a comment":    "<a><!-- " + long + " --></a>",
		"CDATA":        "<a><![CDATA[" + long + "]]></a>",
		"an attribute": `<a b="` + strings.Repeat(">", 2*markup.MaxToken) + `"></a>`,
		"a text":       "<a>" + strings.Repeat("x", 2*markup.MaxToken) + "</a>",
		"a directive":  "<!DOCTYPE " + strings.Repeat("<x>", markup.MaxToken) + "><a/>",
	} {
		_, err := read(strings.NewReader(text), 64<<20)
		assert.ErrorIs(t, err, markup.ErrExpands, name)
	}
}

func TestDecodersShareWhatIsLeft(t *testing.T) {
	left := int64(10_000)
	for range 2 {
		d := markup.NewDecoder(strings.NewReader(strings.Repeat("<b/>", 1_000)), &left)
		for {
			if _, err := d.Token(); err != nil {
				assert.ErrorIs(t, err, io.EOF)
				break
			}
		}
	}
	_, err := read(strings.NewReader(strings.Repeat("<b/>", 1_000)), left)
	assert.ErrorIs(t, err, markup.ErrExpands)
}
