package emulator

import "strings"

// resolve puts the emulator's addresses where the template builds those that the
// APIs would have on AWS, puts in the ARNs that streams have got, and applies the
// file of variables.
func (e *Emulator) resolve(envVars string) error {
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
	e.replace(strings.NewReplacer(pairs...))
	if envVars == "" {
		return nil
	}
	return applyEnvVars(e.stack, envVars)
}

// replace changes all texts of the template that functions and clients get to
// see: one that is left would lead them to AWS.
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
	for _, a := range e.stack.HTTPAPIs {
		values(a.StageVariables)
	}
	for _, a := range e.stack.RESTAPIs {
		values(a.StageVariables)
	}
	for _, a := range e.stack.WebSocketAPIs {
		values(a.StageVariables)
	}
	for _, s := range e.stack.Secrets {
		s.Value = r.Replace(s.Value)
		if s.Generate != nil {
			s.Generate.SecretStringTemplate = r.Replace(s.Generate.SecretStringTemplate)
		}
	}
}
