package graphtest

import (
	"bytes"
	"encoding/json"
	"mime/multipart"
	"net/http"
)

// UploadAs sends an operation with a file in the place of its variable "file",
// as who has the access token.
func (s *Shop) UploadAs(token, query, name, content string) Answer {
	s.t.Helper()
	operations, err := json.Marshal(map[string]any{"query": query, "variables": map[string]any{"file": nil}})
	s.must(err)
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	s.must(form.WriteField("operations", string(operations)))
	s.must(form.WriteField("map", `{"0":["variables.file"]}`))
	file, err := form.CreateFormFile("0", name)
	s.must(err)
	_, err = file.Write([]byte(content))
	s.must(err)
	s.must(form.Close())
	header := map[string]string{"Content-Type": form.FormDataContentType(), "Apollo-Require-Preflight": "1"}
	if token != "" {
		header["Authorization"] = "Bearer " + token
	}
	return s.Send(http.MethodPost, "", header, body.Bytes())
}
