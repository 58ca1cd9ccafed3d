package template

import (
	"regexp"
	"slices"
	"strings"
)

// Domain is an AWS::ApiGatewayV2::DomainName with the AWS::ApiGatewayV2::ApiMappings
// that name it, or the Domain of an AWS::Serverless::HttpApi, Api or WebSocketApi.
// What one domain is mapped to is either HTTP and REST APIs or WebSocket APIs.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-mappings.html
// https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-api-mappings.html
type Domain struct {
	Pos      Pos
	Name     string // in lower case; *. at its beginning stands for any label
	Mappings []Mapping
}

// Mapping is a path of a domain at which a stage of an API is.
type Mapping struct {
	Pos   Pos
	Key   string // such as "v1/orders"; "" is every path
	APIID string
	Stage string
}

// Properties of AWS::ApiGatewayV2::DomainName and ApiMapping, and of SAM's Domain.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-apigatewayv2-domainname.html
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-apigatewayv2-apimapping.html
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-property-httpapi-httpapidomainconfiguration.html
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-property-api-domainconfiguration.html
var (
	domainNoted  = []string{"MutualTlsAuthentication", "RoutingMode"}
	domainSilent = []string{"DomainNameConfigurations", "Tags"}

	samDomainSilent = []string{"CertificateArn", "EndpointConfiguration", "IpAddressType", "OwnershipVerificationCertificateArn", "Route53",
		"SecurityPolicy"}
	samDomainNoted = []string{"MutualTlsAuthentication"}
	// Those that only an Api has.
	restDomainSilent = []string{"AccessAssociation", "EndpointAccessMode"}
	restDomainNoted  = []string{"Policy"}

	domainName      = regexp.MustCompile(`^(\*\.)?([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z0-9][a-z0-9-]*[a-z0-9]$`)
	notAlphanumeric = regexp.MustCompile(`[^A-Za-z0-9]+`) // what SAM leaves out of keys of REST APIs
	mappingKey      = regexp.MustCompile(`^[A-Za-z0-9$_.+!*'()-]+(/[A-Za-z0-9$_.+!*'()-]+)*$`)
)

// samDomain is the Domain of an API of SAM, to be read when all domains are known.
type samDomain struct {
	api   owner
	props *props
}

// domains reads the custom domains and what they are mapped to.
func (l *loader) domains() {
	for _, res := range l.parts[typeDomainName] {
		p := l.properties(res)
		p.known([]string{"DomainName"}, domainSilent, domainNoted)
		if d := l.domain(p); d != nil {
			d.Pos = l.pos(res.line)
		}
	}
	for _, res := range l.parts[typeAPIMapping] {
		l.apiMapping(res)
	}
	for _, d := range l.samDomains {
		l.samMappings(d)
	}
}

// domain finds the domain of a property DomainName, or adds it: a mapping may name
// one of another stack. It returns nil if the name is wrong.
func (l *loader) domain(p *props) *Domain {
	name := strings.ToLower(p.required("DomainName"))
	switch {
	case name == "":
		return nil
	case !domainName.MatchString(name):
		p.bad("DomainName", "is %s; give a name such as api.example.com or *.example.com", quoted(name))
		return nil
	}
	for _, d := range l.stack.Domains {
		if d.Name == name {
			return d
		}
	}
	d := &Domain{Pos: l.pos(p.line), Name: name}
	l.stack.Domains = append(l.stack.Domains, d)
	return d
}

// apiMapping reads an AWS::ApiGatewayV2::ApiMapping.
func (l *loader) apiMapping(res *resource) {
	p := l.properties(res)
	p.known([]string{"ApiId", "ApiMappingKey", "DomainName", "Stage"}, nil, nil)
	d, stage := l.domain(p), p.required("Stage")
	id, _ := p.n.get("ApiId").scalar()
	if slices.ContainsFunc(l.present, func(res *resource) bool { return res.typ == "AWS::ApiGateway::RestApi" && l.name(res) == id }) {
		l.notef(res.line, res.id, "%s of an AWS::ApiGateway::RestApi", res.typ)
		return
	}
	all := l.mappable(id)
	if all == nil {
		l.owner(p) // says what is wrong
	}
	if d == nil || stage == "" || all == nil {
		return
	}
	for _, o := range all {
		if name, _, _ := o.stage(); *name == stage {
			l.mapTo(p, "ApiMappingKey", d, p.str("ApiMappingKey"), o)
			return
		}
	}
	p.bad("Stage", "is %s, which is no stage of %s", quoted(stage), all[0].name())
}

// mappable returns the stages of an API of any kind.
func (l *loader) mappable(id string) []owner {
	all := l.stagesOf(id)
	for _, api := range l.stack.RESTAPIs {
		if api.ID == id {
			all = append(all, owner{rest: api})
		}
	}
	return all
}

// samMappings reads the Domain of an API of SAM, whose BasePath lists keys.
func (l *loader) samMappings(s samDomain) {
	p := s.props
	if p.n == nil {
		return
	}
	if s.api.rest != nil {
		p.known([]string{"BasePath", "DomainName", "NormalizeBasePath"}, slices.Concat(samDomainSilent, restDomainSilent),
			slices.Concat(samDomainNoted, restDomainNoted))
	} else {
		p.known([]string{"BasePath", "DomainName"}, samDomainSilent, samDomainNoted)
	}
	p.required("CertificateArn")
	d, keys := l.domain(p), p.strings("BasePath")
	if d == nil {
		return
	}
	if len(keys) == 0 {
		keys = []string{""}
	}
	normalize := s.api.rest != nil && p.truth("NormalizeBasePath", true)
	for _, key := range keys {
		if normalize {
			key = notAlphanumeric.ReplaceAllString(key, "")
		}
		l.mapTo(p, "BasePath", d, strings.Trim(key, "/"), s.api)
	}
}

// mapTo adds a mapping, which the property name gives the key of.
func (l *loader) mapTo(p *props, name string, d *Domain, key string, to owner) {
	if key != "" && !mappingKey.MatchString(key) {
		p.bad(name, "has %s; use letters, digits and $-_.+!*'(), with / between", quoted(key))
		return
	}
	for _, m := range d.Mappings {
		if m.Key == key {
			p.bad(name, "gives %s the mapping %s again, first in line %d; give each once", d.Name, quoted(key), m.Pos.Line)
			return
		}
		if l.mappable(m.APIID)[0].isWebSocket() != to.isWebSocket() {
			p.bad("DomainName", "is %s, which is mapped to an API of another kind in line %d; give WebSocket APIs a domain of their own", d.Name, m.Pos.Line)
			return
		}
	}
	stage, _, _ := to.stage()
	d.Mappings = append(d.Mappings, Mapping{Pos: l.pos(p.lineOf(name)), Key: key, APIID: to.id(), Stage: *stage})
}

func (o owner) isWebSocket() bool { return o.ws != nil }
