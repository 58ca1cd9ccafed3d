package template

import "encoding/json"

// secret reads an AWS::SecretsManager::Secret.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-secretsmanager-secret.html
func (l *loader) secret(res *resource) {
	p := l.properties(res)
	p.known([]string{"GenerateSecretString", "Name", "SecretString"},
		[]string{"Description", "KmsKeyId", "ReplicaRegions", "Tags", "Type"}, nil)
	s := &Secret{
		Pos:       l.pos(res.line),
		LogicalID: res.id,
		Name:      l.name(res),
		ARN:       l.resourceARN(res),
		Value:     p.str("SecretString"),
		Empty:     !p.has("SecretString") && !p.has("GenerateSecretString"),
	}
	if p.has("GenerateSecretString") {
		if p.has("SecretString") {
			p.bad("GenerateSecretString", "does not go with SecretString; give one of them")
		}
		s.Generate = generateSecretString(p.object("GenerateSecretString"))
	}
	l.stack.Secrets = append(l.stack.Secrets, s)
}

const maxPassword = 4096

func generateSecretString(p *props) *GenerateSecretString {
	p.known([]string{"ExcludeCharacters", "ExcludeLowercase", "ExcludeNumbers", "ExcludePunctuation", "ExcludeUppercase",
		"GenerateStringKey", "IncludeSpace", "PasswordLength", "RequireEachIncludedType", "SecretStringTemplate"}, nil, nil)
	g := &GenerateSecretString{
		PasswordLength:          p.number("PasswordLength", 32, 1, maxPassword),
		ExcludeCharacters:       p.str("ExcludeCharacters"),
		ExcludeLowercase:        p.truth("ExcludeLowercase", false),
		ExcludeUppercase:        p.truth("ExcludeUppercase", false),
		ExcludeNumbers:          p.truth("ExcludeNumbers", false),
		ExcludePunctuation:      p.truth("ExcludePunctuation", false),
		IncludeSpace:            p.truth("IncludeSpace", false),
		RequireEachIncludedType: p.truth("RequireEachIncludedType", true),
		SecretStringTemplate:    p.str("SecretStringTemplate"),
		GenerateStringKey:       p.str("GenerateStringKey"),
	}
	var template map[string]any
	switch {
	case (g.SecretStringTemplate == "") != (g.GenerateStringKey == ""):
		p.errorf(p.line, p.at, "SecretStringTemplate and GenerateStringKey go together; give both or neither")
	case g.SecretStringTemplate != "" && json.Unmarshal([]byte(g.SecretStringTemplate), &template) != nil:
		p.bad("SecretStringTemplate", "must be a JSON object, such as '{\"user\":\"admin\"}'")
	}
	if g.ExcludeLowercase && g.ExcludeUppercase && g.ExcludeNumbers && g.ExcludePunctuation && !g.IncludeSpace {
		p.errorf(p.line, p.at, "GenerateSecretString excludes every character; allow some")
	}
	return g
}
