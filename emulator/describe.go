package emulator

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"crypto-ticker/emulator/internal/template"
)

// Describe writes what runs and where, what the template puts out, and what of
// it is not emulated.
func (e *Emulator) Describe(w io.Writer) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	defer t.Flush() // an error means that nobody reads
	for _, a := range e.stack.HTTPAPIs {
		fmt.Fprintf(t, "HTTP API\t%s\thttp://%s/%s\n", a.LogicalID, e.hosts[a.ID], strings.TrimPrefix(a.Stage+"/", "$default/"))
		for _, r := range a.Routes {
			fmt.Fprintf(t, "\t  %s\t%s\n", r.Key, e.functionName(r.FunctionARN))
		}
	}
	for _, a := range e.stack.RESTAPIs {
		e.describeREST(t, a)
	}
	for _, a := range e.stack.WebSocketAPIs {
		e.describeWebSocket(t, a)
	}
	for _, d := range e.stack.Domains {
		for _, m := range d.Mappings {
			fmt.Fprintf(t, "Domain\t%s/%s\t%s, stage %s\n", d.Name, m.Key, m.APIID, m.Stage)
		}
	}
	for _, s := range e.stack.Schedules {
		e.describeSource(t, "Schedule", s.Name, s.Expression, s.FunctionARN, s.Enabled)
	}
	for _, s := range e.stack.EventSources {
		e.describeSource(t, "Stream", s.Name, s.Table, s.FunctionARN, s.Enabled)
	}
	for _, f := range e.stack.Functions {
		fmt.Fprintf(t, "Function\t%s\t%s\n", f.LogicalID, e.relative(f.CodeDir))
	}
	for _, d := range e.stack.Tables {
		fmt.Fprintf(t, "Table\t%s\t%s\n", d.LogicalID, d.Name)
	}
	for _, s := range e.stack.Secrets {
		fmt.Fprintf(t, "Secret\t%s\t%s\n", s.LogicalID, s.Name)
	}
	fmt.Fprintf(t, "Services\tDynamoDB, Lambda, Secrets Manager\tAWS_ENDPOINT_URL=%s\n", e.AWSURL())
	fmt.Fprintf(t, "TLS\thttps:// and wss:// on the APIs' port too\tauthority to trust: %s\n", e.CertFile())
	for _, n := range e.stack.NotEmulated {
		fmt.Fprintf(t, "Not emulated\t%s\t%s (%s:%d)\n", n.Resource, n.What, e.relative(n.Pos.File), n.Pos.Line)
	}
	for _, o := range e.stack.Outputs {
		fmt.Fprintf(t, "Output\t%s\t%s\n", o.Name, o.Value)
	}
}

func (e *Emulator) describeREST(w io.Writer, a *template.RESTAPI) {
	fmt.Fprintf(w, "REST API\t%s\thttp://%s/%s/\n", a.LogicalID, e.hosts[a.ID], a.Stage)
	for _, r := range a.Routes {
		to := "Cors"
		if r.Preflight == nil {
			to = e.functionName(r.FunctionARN)
		}
		if r.Authorizer != nil {
			to += ", authorized by " + e.functionName(r.Authorizer.FunctionARN)
		}
		fmt.Fprintf(w, "\t  %s %s\t%s\n", r.Method, r.Path, to)
	}
}

func (e *Emulator) describeWebSocket(w io.Writer, a *template.WebSocketAPI) {
	fmt.Fprintf(w, "WebSocket API\t%s\t%s\n", a.LogicalID, e.webSocketURL(a))
	for _, path := range slices.Sorted(maps.Keys(e.paths)) {
		if e.paths[path] == a.LogicalID {
			fmt.Fprintf(w, "\t\tws://%s%s\n", e.authority(), path)
		}
	}
	routes := make([]*template.WebSocketRoute, 0, len(a.Routes))
	for _, r := range a.Routes {
		routes = append(routes, r)
	}
	slices.SortFunc(routes, func(a, b *template.WebSocketRoute) int { return cmp.Compare(a.Key, b.Key) })
	for _, r := range routes {
		authorizer := ""
		if r.Key == "$connect" && a.Authorizer != nil {
			authorizer = ", authorized by " + e.functionName(a.Authorizer.FunctionARN)
		}
		fmt.Fprintf(w, "\t  %s\t%s%s\n", r.Key, e.functionName(r.FunctionARN), authorizer)
	}
}

// describeSource writes what invokes a function by itself.
func (e *Emulator) describeSource(w io.Writer, kind, name, what, functionARN string, enabled bool) {
	state := ""
	if !enabled {
		state = " (disabled)"
	}
	fmt.Fprintf(w, "%s\t%s\t%s -> %s%s\n", kind, name, what, e.functionName(functionARN), state)
}

// functionName is the last part of a function's ARN.
func (e *Emulator) functionName(arn string) string {
	return arn[strings.LastIndexByte(arn, ':')+1:]
}

// relative shortens a path below the template's folder.
func (e *Emulator) relative(path string) string {
	abs, err := filepath.Abs(path)
	if err != nil {
		return path
	}
	if r, err := filepath.Rel(filepath.Dir(e.stack.File), abs); err == nil && !strings.HasPrefix(r, "..") {
		return r
	}
	return path
}
