package extract

import "levada.dev/events/fault"

func readPDF([]byte) (Text, error) {
	return Text{}, fault.Invalidf("contentType", "content_type_unsupported", "application/pdf is not supported")
}
