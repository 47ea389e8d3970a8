// `audit`: what the API server was asked, summed.

package main

import (
	"bufio"
	"cmp"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/url"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// An auditEvent is what we read of one line of the API server's audit log.
type auditEvent struct {
	Stage             string
	UserAgent         string
	Verb              string
	RequestURI        string
	StageTimestamp    time.Time
	ObjectRef         *objectReference
	ResponseStatus    struct{ Code int }
	ImpersonatedUser  *struct{ Username string }
	RequestReceivedAt time.Time `json:"requestReceivedTimestamp"`
}

type objectReference struct{ APIGroup, Resource, Subresource string }

// A requestKind is what requests are summed by.
type requestKind struct {
	Verb   string `json:"verb"`
	DryRun bool   `json:"dry_run"`
	// group/resource/subresource; the path where a request is about no object.
	Kind string `json:"kind"`
}

type requestCount struct {
	requestKind
	Count  int `json:"count"`
	Failed int `json:"failed"` // of these, answered with 400 or more
}

// An auditSum counts requests that were answered; watches apart, because they
// are answered when they end, and cost nothing while they last.
type auditSum struct {
	Requests []requestCount `json:"requests"`
	Total    int            `json:"total"`
	Watches  int            `json:"watches"`
}

type auditFilter struct {
	userAgent    string // begins with
	since, until time.Time
}

func audit(args []string) int {
	flags := flag.NewFlagSet("audit", flag.ContinueOnError)
	dir := flags.String("dir", os.Getenv("TESTBED_DIR_FOR_TESTS"), "folder of the cluster")
	agent := flags.String("user-agent", "", "count only requests whose User-Agent begins so")
	since := flags.String("since", "", "count only requests received at or after this moment (RFC 3339)")
	until := flags.String("until", "", "count only requests received before this moment (RFC 3339)")
	asJSON := flags.Bool("json", false, "one JSON object instead of a table")
	if err := flags.Parse(args); err != nil {
		return 1
	}
	filter := auditFilter{userAgent: *agent}
	err := errors.Join(parseMoment(*since, &filter.since), parseMoment(*until, &filter.until))
	if *dir == "" {
		err = errors.Join(err, errors.New("say which cluster: audit --dir DIR [--user-agent X] [--since T] [--until T] [--json]"))
	}
	if err != nil {
		return complain("audit", err)
	}
	log, err := os.Open(layout{dir: *dir}.auditLog())
	if err != nil {
		return complain("audit", fmt.Errorf("%w (was the cluster started with --audit?)", err))
	}
	defer log.Close()
	sum, err := filter.sum(log)
	if err != nil {
		return complain("audit", err)
	}
	if *asJSON {
		err = json.NewEncoder(os.Stdout).Encode(sum)
	} else {
		err = sum.print(os.Stdout)
	}
	if err != nil {
		return complain("audit", err)
	}
	return 0
}

func (f auditFilter) sum(log io.Reader) (auditSum, error) {
	counts := map[requestKind]*requestCount{}
	sum := auditSum{Requests: []requestCount{}}
	lines := bufio.NewReader(log)
	for number := 1; ; number++ {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			break // a last line without an end is still being written
		}
		if err != nil {
			return sum, err
		}
		var event auditEvent
		if err := json.Unmarshal(line, &event); err != nil {
			return sum, fmt.Errorf("audit.log line %d: %w", number, err)
		}
		if event.Stage != "ResponseComplete" || !f.takes(event) {
			continue
		}
		if event.Verb == "watch" {
			sum.Watches++
			continue
		}
		kind := event.kind()
		if counts[kind] == nil {
			counts[kind] = &requestCount{requestKind: kind}
		}
		counts[kind].Count++
		if event.ResponseStatus.Code >= 400 {
			counts[kind].Failed++
		}
		sum.Total++
	}
	for _, count := range counts {
		sum.Requests = append(sum.Requests, *count)
	}
	slices.SortFunc(sum.Requests, func(a, b requestCount) int {
		return cmp.Or(cmp.Compare(a.Verb, b.Verb), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.dry(), b.dry()))
	})
	return sum, nil
}

func (f auditFilter) takes(e auditEvent) bool {
	return strings.HasPrefix(e.UserAgent, f.userAgent) &&
		!e.RequestReceivedAt.Before(f.since) &&
		(f.until.IsZero() || e.RequestReceivedAt.Before(f.until))
}

func (e auditEvent) kind() requestKind {
	kind := requestKind{Verb: e.Verb}
	path, query, _ := strings.Cut(e.RequestURI, "?")
	if parameters, err := url.ParseQuery(query); err == nil {
		kind.DryRun = parameters.Get("dryRun") == "All"
	}
	if e.ObjectRef == nil {
		kind.Kind = path
		return kind
	}
	for _, word := range []string{e.ObjectRef.APIGroup, e.ObjectRef.Resource, e.ObjectRef.Subresource} {
		if word != "" && kind.Kind != "" {
			kind.Kind += "/"
		}
		kind.Kind += word
	}
	return kind
}

func (c requestCount) dry() string {
	if c.DryRun {
		return "dry-run"
	}
	return ""
}

func (s auditSum) print(to io.Writer) error {
	table := tabwriter.NewWriter(to, 0, 8, 2, ' ', 0)
	for _, r := range s.Requests {
		note := ""
		if r.Failed > 0 {
			note = fmt.Sprintf("(%d refused)", r.Failed)
		}
		fmt.Fprintf(table, "%d\t%s\t%s\t%s\t%s\n", r.Count, r.Verb, r.Kind, r.dry(), note)
	}
	fmt.Fprintf(table, "%d\trequests, and %d watches ended\n", s.Total, s.Watches)
	return table.Flush()
}

func parseMoment(text string, into *time.Time) error {
	if text == "" {
		return nil
	}
	moment, err := time.Parse(time.RFC3339, text)
	*into = moment
	return err
}
