package template

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestDomainErrors(t *testing.T) {
	t.Parallel()
	const mapTo = `  M: {Type: AWS::ApiGatewayV2::ApiMapping, Properties: {DomainName: a.example, `
	samDomain := func(domain string) string {
		return one("AWS::Serverless::HttpApi", "Domain: {"+domain+"}")
	}
	for _, tt := range []struct{ name, src, want string }{
		{"no name", part("DomainName", ""), "16: R: DomainName is missing; give it"},
		{"name", part("DomainName", "DomainName: https://a.example"), `16: R: DomainName is "https://a.example"; give a name such as api.example.com or *.example.com`},
		{"misspelled", part("DomainName", "DomainName: a.example, Tag: {}"), "16: R: Tag is unknown; did you mean Tags?"},
		{"no domain", part("ApiMapping", "ApiId: !Ref Ws, Stage: live"), "16: R: DomainName is missing; give it"},
		{"no API", v2(mapTo + "Stage: live}}\n"), "16: M: ApiId is missing; give it"},
		{"foreign API", v2(mapTo + "ApiId: abc, Stage: live}}\n"), `16: M: ApiId is "abc", which is no API of this template; use !Ref`},
		{"no stage", v2(mapTo + "ApiId: !Ref Ws}}\n"), "16: M: Stage is missing; give it"},
		{"unknown stage", v2(mapTo + "ApiId: !Ref Ws, Stage: test}}\n"), `16: M: Stage is "test", which is no stage of Ws`},
		{"key", v2(mapTo + "ApiId: !Ref Ws, Stage: !Ref Live, ApiMappingKey: /v1}}\n"),
			`16: M: ApiMappingKey has "/v1"; use letters, digits and $-_.+!*'(), with / between`},
		{"key twice", v2(mapTo+"ApiId: !Ref Ws, Stage: !Ref Live, ApiMappingKey: v1}}\n") + strings.Replace(mapTo, "M:", "N:", 1) + "ApiId: !Ref Ws, Stage: live, ApiMappingKey: v1}}\n",
			`17: N: ApiMappingKey gives a.example the mapping "v1" again, first in line 16; give each once`},
		{"both kinds", v2(mapTo+"ApiId: !Ref Ws, Stage: !Ref Live, ApiMappingKey: v1}}\n") + strings.Replace(mapTo, "M:", "N:", 1) + "ApiId: !Ref Web, Stage: $default}}\n",
			"17: N: DomainName is a.example, which is mapped to an API of another kind in line 16; give WebSocket APIs a domain of their own"},
		{"SAM without a name", samDomain("CertificateArn: a"), "5: R: Domain.DomainName is missing; give it"},
		{"SAM without a certificate", samDomain("DomainName: a.example"), "5: R: Domain.CertificateArn is missing; give it"},
		{"SAM's path", samDomain("DomainName: a.example, CertificateArn: a, BasePath: [a b]"), `5: R: Domain.BasePath has "a b"; use letters, digits and $-_.+!*'(), with / between`},
		{"REST and WebSocket", rest(", Domain: {DomainName: a.example, CertificateArn: a}", getX) + "  Ws: {Type: AWS::Serverless::WebSocketApi, Properties: {" +
			"RouteSelectionExpression: $request.body.type, Routes: {$default: {FunctionArn: !GetAtt Fn.Arn}}, Domain: {DomainName: a.example, CertificateArn: a, BasePath: [ws]}}}",
			"10: Ws: Domain.DomainName is a.example, which is mapped to an API of another kind in line 5; give WebSocket APIs a domain of their own"},
		{"stage of a REST API", rest("", getX) + mapTo + "ApiId: !Ref Web, Stage: v2}}\n", `10: M: Stage is "v2", which is no stage of Web`},
		{"attribute", part("DomainName", "DomainName: a.example, Tags: {a: !GetAtt R.DomainName}"),
			"16: R: Fn::GetAtt refers to R.DomainName; the attributes of AWS::ApiGatewayV2::DomainName are DomainNameArn, RegionalDomainName, RegionalHostedZoneId"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := Parse("template.yaml", []byte(tt.src), Options{})
			if err == nil || strings.ReplaceAll(err.Error(), "template.yaml:", "") != tt.want {
				t.Errorf("got\n%v\nwant\n%s", err, tt.want)
			}
		})
	}
}

func TestDomains(t *testing.T) {
	t.Parallel()
	s := parse(t, sam+strings.TrimPrefix(v2(`  Domain: {Type: AWS::ApiGatewayV2::DomainName, Properties: {DomainName: WS.example.com, DomainNameConfigurations: [{CertificateArn: a}]}}
  Root: {Type: AWS::ApiGatewayV2::ApiMapping, Properties: {DomainName: !Ref Domain, ApiId: !Ref Ws, Stage: !Ref Live}}
  Deep: {Type: AWS::ApiGatewayV2::ApiMapping, Properties: {DomainName: !Ref Domain, ApiId: !Ref Ws, Stage: !Ref More, ApiMappingKey: v1/deep}}
  More: {Type: AWS::ApiGatewayV2::Stage, Properties: {ApiId: !Ref Ws, StageName: more, AutoDeploy: true}}
  Outside: {Type: AWS::ApiGatewayV2::ApiMapping, Properties: {DomainName: elsewhere.example, ApiId: !Ref Web, Stage: $default, ApiMappingKey: web}}
  Sam:
    Type: AWS::Serverless::HttpApi
    Properties: {StageName: prod, DisableExecuteApiEndpoint: true, Domain: {DomainName: elsewhere.example, CertificateArn: a, BasePath: [/, /orders/v1]}}
  Whole: {Type: AWS::Serverless::HttpApi, Properties: {Domain: {DomainName: "*.example.com", CertificateArn: a, Route53: {HostedZoneId: Z}}}}
Outputs: {Ref: {Value: !Ref Domain}, Att: {Value: !GetAtt Domain.RegionalDomainName}}
`), ""), Options{})
	var got []string
	for _, d := range s.Domains {
		for _, m := range d.Mappings {
			got = append(got, fmt.Sprintf("%s/%s %s %s %d", d.Name, m.Key, m.APIID, m.Stage, m.Pos.Line))
		}
	}
	want := []string{
		"ws.example.com/ ws live 18", "ws.example.com/v1/deep ws more 19",
		"elsewhere.example/web web $default 21", "elsewhere.example/ sam prod 24", "elsewhere.example/orders/v1 sam prod 24",
		"*.example.com/ whole $default 25",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for _, a := range s.HTTPAPIs {
		if a.OnlyCustomDomain != (a.ID == "sam") {
			t.Errorf("%s: got OnlyCustomDomain %t", a.ID, a.OnlyCustomDomain)
		}
	}
	if got := s.Outputs[0].Value; got != "WS.example.com" || !strings.HasPrefix(s.Outputs[1].Value, "d-") {
		t.Errorf("got outputs %v", s.Outputs)
	}
	if len(s.NotEmulated) > 0 {
		t.Errorf("got notes %v", s.NotEmulated)
	}
}

func TestDomainsOfRESTAPIs(t *testing.T) {
	t.Parallel()
	s := parse(t, rest(", DisableExecuteApiEndpoint: true, Domain: {DomainName: api.example, CertificateArn: a, BasePath: [/, /v-1/x], SecurityPolicy: TLS_1_2}", getX)+
		`  Exact: {Type: AWS::Serverless::Api, Properties: {StageName: v2, Domain: {DomainName: api.example, CertificateArn: a, BasePath: [v-1], NormalizeBasePath: false}}}
  Http: {Type: AWS::Serverless::HttpApi, Properties: {Domain: {DomainName: api.example, CertificateArn: a, BasePath: [http]}}}
  Raw: {Type: AWS::ApiGatewayV2::ApiMapping, Properties: {DomainName: api.example, ApiId: !Ref Exact, Stage: !Ref Exact.Stage, ApiMappingKey: a/b}}
`, Options{})
	var got []string
	for _, m := range s.Domains[0].Mappings {
		got = append(got, m.Key+" "+m.APIID+" "+m.Stage)
	}
	want := []string{"a/b exact v2", " web v1", "v1x web v1", "v-1 exact v2", "http http $default"}
	if !slices.Equal(got, want) || len(s.Domains) != 1 {
		t.Errorf("got %q of %d, want %q", got, len(s.Domains), want)
	}
	if got := s.RESTAPIs; !got[0].OnlyCustomDomain || got[1].OnlyCustomDomain {
		t.Errorf("got OnlyCustomDomain %t, %t", got[0].OnlyCustomDomain, got[1].OnlyCustomDomain)
	}
	if got := notes(s); len(got) > 0 {
		t.Errorf("got notes %q", got)
	}
}

// TestMappingOfARESTAPIIsNoted keeps templates loadable that map what is not read.
func TestMappingOfARESTAPIIsNoted(t *testing.T) {
	t.Parallel()
	s := parse(t, v2("  Rest: {Type: AWS::ApiGateway::RestApi}\n"+
		"  M: {Type: AWS::ApiGatewayV2::ApiMapping, Properties: {DomainName: a.example, ApiId: !Ref Rest, Stage: live}}\n"), Options{})
	if got := notes(s); !slices.Contains(got, "17: M: AWS::ApiGatewayV2::ApiMapping of an AWS::ApiGateway::RestApi") {
		t.Errorf("got %q", got)
	}
}
