// Plain REST to the API server, as its administrator.

package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

// An apiClient speaks plain REST to the cluster's API server as the
// administrator. The server takes YAML as it is, so that nothing is parsed twice.
type apiClient struct {
	base string
	http *http.Client
	// Closed when nobody wants the cluster any more; nil where that cannot be.
	abandoned <-chan struct{}
}

func newAPIClient(l layout, server string) (*apiClient, error) {
	authority, err := os.ReadFile(l.certificate("ca"))
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(authority) {
		return nil, fmt.Errorf("%s holds no certificate", l.certificate("ca"))
	}
	own, err := tls.LoadX509KeyPair(l.certificate(administrator), l.key(administrator))
	if err != nil {
		return nil, err
	}
	transport := &http.Transport{
		TLSClientConfig:     &tls.Config{RootCAs: pool, Certificates: []tls.Certificate{own}},
		MaxIdleConnsPerHost: 16,
	}
	return &apiClient{base: server, http: &http.Client{Transport: transport, Timeout: 20 * time.Second}}, nil
}

// ready says whether every part of the API server answers that it is.
func (a *apiClient) ready() bool {
	answer, err := a.http.Get(a.base + "/readyz")
	if err != nil {
		return false
	}
	answer.Body.Close()
	return answer.StatusCode == http.StatusOK
}

// await is as the function of that name, and gives up when the cluster is abandoned.
func (a *apiClient) await(limit time.Duration, condition func() bool) bool {
	held := false
	await(limit, func() bool {
		select {
		case <-a.abandoned:
			return true
		default:
			held = condition()
			return held
		}
	})
	return held
}

// create posts one object; one that is there already is fine.
func (a *apiClient) create(path, contentType string, object []byte) error {
	status, body, err := a.do(http.MethodPost, path, contentType, object)
	if err == nil && status != http.StatusCreated && status != http.StatusConflict {
		err = fmt.Errorf("POST %s: %d %s", path, status, body)
	}
	return err
}

// get decodes the answer; an object that does not exist is an error.
func (a *apiClient) get(path string, into any) error {
	status, body, err := a.do(http.MethodGet, path, "", nil)
	if err != nil {
		return err
	}
	if status != http.StatusOK {
		return fmt.Errorf("GET %s: %d %s", path, status, body)
	}
	return json.Unmarshal(body, into)
}

func (a *apiClient) deleteAll(path string) error {
	status, body, err := a.do(http.MethodDelete, path, "", nil)
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("DELETE %s: %d %s", path, status, body)
	}
	return err
}

func (a *apiClient) do(method, path, contentType string, body []byte) (int, []byte, error) {
	request, err := http.NewRequest(method, a.base+path, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	request.Header.Set("Accept", "application/json")
	request.Header.Set("User-Agent", "testbed")
	answer, err := a.http.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	return answer.StatusCode, text, err
}
