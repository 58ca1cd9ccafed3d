package emulator_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"crypto-ticker/emulator"
)

const dataTemplate = `
Resources:
  Notes:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: id, AttributeType: S}, {AttributeName: by, AttributeType: S}]
      KeySchema: [{AttributeName: id, KeyType: HASH}]
      TimeToLiveSpecification: {AttributeName: ttl, Enabled: true}
      GlobalSecondaryIndexes:
        - IndexName: byAuthor
          KeySchema: [{AttributeName: by, KeyType: HASH}]
          Projection: {ProjectionType: INCLUDE, NonKeyAttributes: [a, b]}
  Password:
    Type: AWS::SecretsManager::Secret
    Properties:
      GenerateSecretString: {PasswordLength: 20}
`

// call calls an operation of a service with the JSON protocol.
func call(t *testing.T, e *emulator.Emulator, target, version, body string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, e.AWSURL(), strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Amz-Target", target)
	req.Header.Set("Content-Type", "application/x-amz-json-"+version)
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != 200 {
		t.Fatalf("%s: got %s %s, %v", target, res.Status, answer, err)
	}
	return string(answer)
}

func TestDataFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "template.yaml")
	run := func(change ...string) (*emulator.Emulator, error) {
		text := strings.NewReplacer(change...).Replace(dataTemplate)
		if len(change) > 0 && text == dataTemplate {
			return nil, errors.New("nothing was changed")
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			return nil, err
		}
		return emulator.Run(t.Context(), emulator.Options{Template: file, Data: filepath.Join(dir, "data")})
	}
	const get = `{"TableName":"Notes","Key":{"id":{"S":"1"}}}`
	const secret, item = `{"SecretId":"Password"}`, `{"id":{"S":"1"},"by":{"S":"ann"}}`

	e, err := run()
	if err != nil {
		t.Fatal(err)
	}
	call(t, e, "DynamoDB_20120810.PutItem", "1.0", `{"TableName":"Notes","Item":`+item+`}`)
	want := call(t, e, "secretsmanager.GetSecretValue", "1.1", secret)
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}

	for _, tt := range []struct {
		name   string
		change []string
		err    string
	}{
		{"nothing", nil, ""},
		{"order of attributes", []string{"[{AttributeName: id, AttributeType: S}, {AttributeName: by, AttributeType: S}]",
			"[{AttributeName: by, AttributeType: S}, {AttributeName: id, AttributeType: S}]"}, ""},
		{"time to live", []string{"AttributeName: ttl", "AttributeName: until"}, ""},
		{"no time to live", []string{"Enabled: true", "Enabled: false"}, ""},
		{"key", []string{"[{AttributeName: id, KeyType: HASH}]",
			"[{AttributeName: id, KeyType: HASH}, {AttributeName: by, KeyType: RANGE}]"}, "with other keys or indexes"},
		{"index", []string{"byAuthor", "byWriter"}, "with other keys or indexes"},
		{"projection", []string{"[a, b]", "[a]"}, "with other keys or indexes"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e, err := run(tt.change...)
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) || !strings.Contains(err.Error(), "template.yaml:3: Notes: ") {
					t.Errorf("got error %v, want one with %q and its place", err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer e.Close()
			if got := call(t, e, "DynamoDB_20120810.GetItem", "1.0", get); !strings.Contains(got, `"ann"`) {
				t.Errorf("item: got %s, want it kept", got)
			}
			if got := call(t, e, "secretsmanager.GetSecretValue", "1.1", secret); got != want {
				t.Error("the secret has another value")
			}
		})
	}
}

// TestSecretsWithAddresses starts at another address with each start, which is no
// change of the template.
func TestSecretsWithAddresses(t *testing.T) {
	t.Parallel()
	o := emulator.Options{Data: t.TempDir(), Template: write(t, `
  Api: {Type: AWS::Serverless::HttpApi}
  Url: {Type: AWS::SecretsManager::Secret, Properties: {Name: url, SecretString: !Sub "https://${Api}.execute-api.${AWS::Region}.amazonaws.com/a"}}
  Put: {Type: AWS::SecretsManager::Secret, Properties: {Name: put, SecretString: !Sub "https://${Api}.execute-api.${AWS::Region}.amazonaws.com/b"}}
  Made:
    Type: AWS::SecretsManager::Secret
    Properties:
      Name: made
      GenerateSecretString:
        SecretStringTemplate: !Sub '{"url":"https://${Api}.execute-api.${AWS::Region}.amazonaws.com/c"}'
        GenerateStringKey: password
`)}
	const host = "HOST"
	read := func(put string) (url, made string) {
		e, err := emulator.Run(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		defer e.Close()
		if put != "" {
			call(t, e, "secretsmanager.PutSecretValue", "1.1", `{"SecretId":"put","SecretString":"`+put+`"}`)
		}
		if got := call(t, e, "secretsmanager.GetSecretValue", "1.1", `{"SecretId":"put"}`); !strings.Contains(got, `"SecretString":"ours"`) {
			t.Errorf("got %s, want the value that was put", got)
		}
		if got, want := call(t, e, "secretsmanager.GetSecretValue", "1.1", `{"SecretId":"url"}`), `"SecretString":"`+e.URL()+`/a"`; !strings.Contains(got, want) {
			t.Errorf("got %s, want %s", got, want)
		}
		made = call(t, e, "secretsmanager.GetSecretValue", "1.1", `{"SecretId":"made"}`)
		if !strings.Contains(made, e.URL()+"/c") {
			t.Errorf("got %s, want %s in it", made, e.URL())
		}
		return e.URL(), strings.ReplaceAll(made, e.URL(), host)
	}
	url, made := read("ours")
	if l, err := net.Listen("tcp", strings.TrimPrefix(url, "http://")); err == nil { // else somebody else has it
		defer l.Close()
	}
	again, kept := read("")
	if again == url {
		t.Fatal("both starts had the same address")
	}
	if kept != made {
		t.Error("there is another generated value")
	}
}

// TestSalvage opens a data folder whose tables are damaged.
func TestSalvage(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	o := emulator.Options{Template: filepath.Join(dir, "template.yaml"), Data: dir}
	if err := os.WriteFile(o.Template, []byte(dataTemplate), 0o600); err != nil {
		t.Fatal(err)
	}
	e, err := emulator.Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"whole", "broken"} {
		call(t, e, "DynamoDB_20120810.PutItem", "1.0", `{"TableName":"Notes","Item":{"id":{"S":"`+id+`"},"by":{"S":"ann of `+id+`"}}}`)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "dynamodb", "dynamodb.db")
	src, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, bytes.ReplaceAll(src, []byte("ann of broken"), []byte("nan of broken")), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := emulator.Run(t.Context(), o); err == nil || !strings.Contains(err.Error(), `table Notes, key {"id":{"S":"broken"}}`) {
		t.Errorf("got error %v, want one that names the item", err)
	}
	o.Salvage = true
	e, err = emulator.Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	if got := call(t, e, "DynamoDB_20120810.Scan", "1.0", `{"TableName":"Notes"}`); !strings.Contains(got, `"whole"`) || strings.Contains(got, "broken") {
		t.Errorf("got %s, want what is whole", got)
	}
	if err := e.DynamoDB().Reset(); err != nil {
		t.Fatal(err)
	}
	if got := call(t, e, "DynamoDB_20120810.Scan", "1.0", `{"TableName":"Notes"}`); !strings.HasPrefix(got, `{"Items":[],`) {
		t.Errorf("after Reset: got %s, want no items", got)
	}
}

// TestTableSettings asks the service for what a template says of its tables, as
// the template changes from one start to the next.
func TestTableSettings(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	o := emulator.Options{Template: filepath.Join(dir, "template.yaml"), Data: filepath.Join(dir, "data")}
	const none = `{"Tags":[]}`
	for _, tt := range []struct{ name, settings, protection, tags, recovery string }{
		{"new", "DeletionProtectionEnabled: true; Tags: [{Key: team, Value: notes}]; PointInTimeRecoverySpecification: {PointInTimeRecoveryEnabled: true, RecoveryPeriodInDays: 7}",
			"true", `{"Tags":[{"Key":"team","Value":"notes"}]}`, `"RecoveryPeriodInDays":7`},
		{"the same", "DeletionProtectionEnabled: true; Tags: [{Key: team, Value: notes}]; PointInTimeRecoverySpecification: {PointInTimeRecoveryEnabled: true, RecoveryPeriodInDays: 7}",
			"true", `{"Tags":[{"Key":"team","Value":"notes"}]}`, `"RecoveryPeriodInDays":7`},
		{"others", "Tags: [{Key: stage, Value: test}, {Key: team, Value: ann}]; PointInTimeRecoverySpecification: {PointInTimeRecoveryEnabled: true, RecoveryPeriodInDays: 9}",
			"false", `{"Tags":[{"Key":"team","Value":"ann"},{"Key":"stage","Value":"test"}]}`, `"RecoveryPeriodInDays":9`},
		{"fewer", "DeletionProtectionEnabled: true; Tags: [{Key: stage, Value: test}]",
			"true", `{"Tags":[{"Key":"stage","Value":"test"}]}`, `"PointInTimeRecoveryStatus":"DISABLED"`},
		{"none", "", "false", none, `"PointInTimeRecoveryStatus":"DISABLED"`},
	} {
		text := strings.Replace(dataTemplate, "TimeToLiveSpecification:", strings.ReplaceAll(tt.settings, "; ", "\n      ")+"\n      TimeToLiveSpecification:", 1)
		if err := os.WriteFile(o.Template, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		e, err := emulator.Run(t.Context(), o)
		if err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		table := call(t, e, "DynamoDB_20120810.DescribeTable", "1.0", `{"TableName":"Notes"}`)
		_, arn, _ := strings.Cut(table, `"TableArn":"`)
		arn, _, _ = strings.Cut(arn, `"`)
		for _, ask := range []struct{ operation, input, want string }{
			{"DescribeTable", `{"TableName":"Notes"}`, `"DeletionProtectionEnabled":` + tt.protection},
			{"ListTagsOfResource", `{"ResourceArn":"` + arn + `"}`, tt.tags},
			{"DescribeContinuousBackups", `{"TableName":"Notes"}`, tt.recovery},
		} {
			if got := call(t, e, "DynamoDB_20120810."+ask.operation, "1.0", ask.input); !strings.Contains(got, ask.want) {
				t.Errorf("%s: %s: got %s, want %s in it", tt.name, ask.operation, got, ask.want)
			}
		}
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
