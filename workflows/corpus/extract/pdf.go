package extract

func readPDF(data []byte) (Text, error) { panic("soon") }
