// Certificates and kubeconfigs of one cluster; the authority's key never leaves the process.

package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"time"
)

// An authority signs every certificate of one cluster; it lives as long as the
// folder of the cluster.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	layout      layout
}

// newAuthority writes ca.crt; its key never leaves the process.
func newAuthority(l layout) (*authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template, err := certificateTemplate("testbed-ca", nil)
	if err != nil {
		return nil, err
	}
	template.IsCA = true
	template.BasicConstraintsValid = true
	template.KeyUsage |= x509.KeyUsageCertSign
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	a := &authority{certificate: parsed, key: key, layout: l}
	return a, writePEM(l.certificate("ca"), "CERTIFICATE", der)
}

// issueServer writes the API server's own certificate, for loopback and for
// the names under which pods reach it.
func (a *authority) issueServer(name string) error {
	template, err := certificateTemplate(name, nil)
	if err != nil {
		return err
	}
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	template.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1), net.IPv4(10, 96, 0, 1)}
	template.DNSNames = []string{"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc"}
	return a.issue(name, template)
}

// issueClient writes a client certificate: the API server takes the common
// name as the user and the organisations as the groups.
func (a *authority) issueClient(name, user string, groups ...string) error {
	template, err := certificateTemplate(user, groups)
	if err != nil {
		return err
	}
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	return a.issue(name, template)
}

func (a *authority) issue(name string, template *x509.Certificate) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, key.Public(), a.key)
	if err != nil {
		return err
	}
	if err := writePEM(a.layout.certificate(name), "CERTIFICATE", der); err != nil {
		return err
	}
	return writeKey(a.layout.key(name), key)
}

// newServiceAccountKey writes the key that signs ServiceAccount tokens.
func newServiceAccountKey(l layout) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return err
	}
	if err := writePEM(l.certificate("service-account"), "PUBLIC KEY", public); err != nil {
		return err
	}
	return writeKey(l.key("service-account"), key)
}

// writeKubeconfig embeds certificates and key, so that the one file can be
// copied away and still works.
func writeKubeconfig(l layout, file, server, name string) error {
	var blocks [3]string
	for i, source := range []string{l.certificate("ca"), l.certificate(name), l.key(name)} {
		text, err := os.ReadFile(source)
		if err != nil {
			return err
		}
		blocks[i] = base64.StdEncoding.EncodeToString(text)
	}
	text := fmt.Sprintf(`apiVersion: v1
kind: Config
clusters:
- name: testbed
  cluster: {server: %q, certificate-authority-data: %s}
users:
- name: %s
  user: {client-certificate-data: %s, client-key-data: %s}
contexts:
- name: testbed
  context: {cluster: testbed, user: %s}
current-context: testbed
`, server, blocks[0], name, blocks[1], blocks[2], name)
	return os.WriteFile(file, []byte(text), 0o600)
}

func certificateTemplate(name string, groups []string) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, err
	}
	return &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: name, Organization: groups},
		// An hour back: the clock of a virtual machine may step.
		NotBefore: time.Now().Add(-time.Hour),
		NotAfter:  time.Now().AddDate(1, 0, 0),
		KeyUsage:  x509.KeyUsageDigitalSignature,
	}, nil
}

func writeKey(file string, key *ecdsa.PrivateKey) error {
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return err
	}
	return writePEM(file, "EC PRIVATE KEY", der)
}

func writePEM(file, kind string, der []byte) error {
	return os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600)
}
