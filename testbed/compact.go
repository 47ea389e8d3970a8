// `compact`: etcd without its past.

package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// compact has etcd forget every revision before the newest, as the API server
// does every five minutes with those that are older than that. A list or watch
// that goes on from one of them is answered with 410.
func compact(args []string) int {
	l, _, err := named("compact", args, 0)
	if err != nil {
		return complain("compact", err)
	}
	state, err := l.live()
	if err != nil {
		return complain("compact", err)
	}
	revision, err := compactAt(state.Etcd)
	if err != nil {
		return complain("compact", err)
	}
	fmt.Printf("compacted at revision %s\n", revision)
	return 0
}

func compactAt(etcd string) (string, error) {
	var newest struct {
		Header struct{ Revision string }
	}
	// Any read tells the newest revision.
	key := base64.StdEncoding.EncodeToString([]byte("newest"))
	if err := ask(etcd+"/v3/kv/range", map[string]any{"key": key}, &newest); err != nil {
		return "", err
	}
	revision := newest.Header.Revision
	done := map[string]any{}
	return revision, ask(etcd+"/v3/kv/compaction", map[string]any{"revision": revision, "physical": true}, &done)
}

// ask calls etcd's JSON gateway; 64-bit numbers are strings in it.
func ask(url string, question, answer any) error {
	body, err := json.Marshal(question)
	if err != nil {
		return err
	}
	client := &http.Client{Timeout: 20 * time.Second}
	response, err := client.Post(url, "application/json", bytes.NewReader(body))
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("POST %s: %s", url, response.Status)
	}
	return json.NewDecoder(response.Body).Decode(answer)
}
