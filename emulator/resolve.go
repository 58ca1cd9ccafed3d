package emulator

import "strings"

// addresses puts the emulator's addresses where the template builds those that
// the APIs would have on AWS, and the ARNs that streams have got.
func (e *Emulator) addresses() *strings.Replacer {
	var pairs []string
	suffix := ".execute-api." + e.stack.Region + ".amazonaws.com"
	for id, host := range e.hosts {
		pairs = append(pairs, "https://"+id+suffix, "http://"+host, "wss://"+id+suffix, "ws://"+host)
	}
	for _, t := range e.stack.Tables {
		if t.StreamARN != "" {
			pairs = append(pairs, t.StreamARN, e.tables.LatestStream(t.Name))
		}
	}
	return strings.NewReplacer(pairs...)
}

// replace changes all texts of the template that functions and clients get to
// see: one that is left would lead them to AWS. Those of secrets are replaced as
// they are read.
func (e *Emulator) replace(r *strings.Replacer) {
	values := func(m map[string]string) {
		for k, v := range m {
			m[k] = r.Replace(v)
		}
	}
	for i := range e.stack.Outputs {
		e.stack.Outputs[i].Value = r.Replace(e.stack.Outputs[i].Value)
	}
	for _, f := range e.stack.Functions {
		values(f.Environment)
	}
	for _, s := range e.stack.Schedules {
		s.Input = r.Replace(s.Input)
	}
	e.replaceInAPIs(r, values)
}

func (e *Emulator) replaceInAPIs(r *strings.Replacer, values func(map[string]string)) {
	for _, a := range e.stack.HTTPAPIs {
		values(a.StageVariables)
		if a.CORS != nil {
			for i, o := range a.CORS.AllowOrigins {
				a.CORS.AllowOrigins[i] = r.Replace(o)
			}
		}
		for _, route := range a.Routes {
			if route.Authorizer != nil && route.Authorizer.JWT != nil {
				route.Authorizer.JWT.Issuer = r.Replace(route.Authorizer.JWT.Issuer)
			}
		}
	}
	for _, a := range e.stack.RESTAPIs {
		values(a.StageVariables)
		for _, g := range a.GatewayResponses {
			values(g.Headers)
			g.Template = r.Replace(g.Template)
		}
		for _, route := range a.Routes {
			values(route.Preflight)
		}
	}
	for _, a := range e.stack.WebSocketAPIs {
		values(a.StageVariables)
	}
}
