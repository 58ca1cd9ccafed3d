package secrets

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/aws/smithy-go"

	"crypto-ticker/emulator/internal/template"
)

const arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:"

func fixed(name, value string) *template.Secret {
	return &template.Secret{Pos: template.Pos{File: "template.yaml", Line: 9}, LogicalID: name, Name: name, ARN: arn + name + "-a1B2c3", Value: value}
}

func generated(name string, g template.GenerateSecretString) *template.Secret {
	s := fixed(name, "")
	s.Generate = &g
	return s
}

// open starts a service and returns the SDK's client for it.
func open(t *testing.T, dir string, secrets ...*template.Secret) *sdk.Client {
	t.Helper()
	s, err := Open(Config{Secrets: secrets, Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	return sdk.New(sdk.Options{
		Region: "us-east-1", BaseEndpoint: &srv.URL, RetryMaxAttempts: 1,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "x", SecretAccessKey: "x"}, nil
		}),
	})
}

func get(t *testing.T, c *sdk.Client, in sdk.GetSecretValueInput) *sdk.GetSecretValueOutput {
	t.Helper()
	out, err := c.GetSecretValue(t.Context(), &in)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func value(t *testing.T, c *sdk.Client, name string) string {
	t.Helper()
	return aws.ToString(get(t, c, sdk.GetSecretValueInput{SecretId: &name}).SecretString)
}

// wantError checks an error's type and message.
func wantError[E error](t *testing.T, err error, message string) {
	t.Helper()
	var api smithy.APIError
	if !errors.As(err, new(E)) || !errors.As(err, &api) || api.ErrorMessage() != message {
		t.Errorf("got %v\nwant %T %s", err, *new(E), message)
	}
}

func TestGetSecretValue(t *testing.T) {
	t.Parallel()
	c := open(t, "", fixed("other", "o"), fixed("app/key", "s3cret"))
	for _, id := range []string{"app/key", arn + "app/key-a1B2c3", arn + "app/key"} {
		got := get(t, c, sdk.GetSecretValueInput{SecretId: &id})
		if aws.ToString(got.SecretString) != "s3cret" || aws.ToString(got.Name) != "app/key" || aws.ToString(got.ARN) != arn+"app/key-a1B2c3" ||
			!slices.Equal(got.VersionStages, []string{"AWSCURRENT"}) || len(aws.ToString(got.VersionId)) != 36 || time.Since(*got.CreatedDate) > time.Minute {
			t.Errorf("%s: got %+v", id, got)
		}
	}
	for _, id := range []string{"app", "app/key-a1B2c3", arn + "app", "none"} {
		_, err := c.GetSecretValue(t.Context(), &sdk.GetSecretValueInput{SecretId: &id})
		wantError[*types.ResourceNotFoundException](t, err, "Secrets Manager can't find the specified secret.")
	}
}

func TestPutSecretValue(t *testing.T) {
	t.Parallel()
	c := open(t, "", fixed("key", "first"))
	first := get(t, c, sdk.GetSecretValueInput{SecretId: aws.String("key")})
	put, err := c.PutSecretValue(t.Context(), &sdk.PutSecretValueInput{SecretId: aws.String("key"), SecretString: aws.String("second")})
	if err != nil {
		t.Fatal(err)
	}
	if got := get(t, c, sdk.GetSecretValueInput{SecretId: aws.String("key")}); aws.ToString(got.SecretString) != "second" || aws.ToString(got.VersionId) != aws.ToString(put.VersionId) {
		t.Errorf("current: got %+v", got)
	}
	for _, in := range []sdk.GetSecretValueInput{
		{SecretId: aws.String("key"), VersionStage: aws.String("AWSPREVIOUS")},
		{SecretId: aws.String("key"), VersionId: first.VersionId},
		{SecretId: aws.String("key"), VersionId: first.VersionId, VersionStage: aws.String("AWSPREVIOUS")},
	} {
		if got := get(t, c, in); aws.ToString(got.SecretString) != "first" {
			t.Errorf("previous: got %+v", got)
		}
	}
	// A label of one's own; then the first version has lost all of its labels.
	if _, err := c.PutSecretValue(t.Context(), &sdk.PutSecretValueInput{SecretId: aws.String("key"), SecretBinary: []byte{0, 255}, VersionStages: []string{"PENDING"}}); err != nil {
		t.Fatal(err)
	}
	if got := get(t, c, sdk.GetSecretValueInput{SecretId: aws.String("key"), VersionStage: aws.String("PENDING")}); string(got.SecretBinary) != "\x00\xff" || got.SecretString != nil {
		t.Errorf("pending: got %+v", got)
	}
	if got := value(t, c, "key"); got != "second" {
		t.Errorf("current: got %s, want second", got)
	}
	if _, err := c.PutSecretValue(t.Context(), &sdk.PutSecretValueInput{SecretId: aws.String("key"), SecretString: aws.String("third")}); err != nil {
		t.Fatal(err)
	}
	_, err = c.GetSecretValue(t.Context(), &sdk.GetSecretValueInput{SecretId: aws.String("key"), VersionId: first.VersionId})
	wantError[*types.ResourceNotFoundException](t, err, "Secrets Manager can't find the specified secret value for VersionId: "+*first.VersionId)

	d, err := c.DescribeSecret(t.Context(), &sdk.DescribeSecretInput{SecretId: aws.String("key")})
	if err != nil || len(d.VersionIdsToStages) != 3 || !slices.Equal(d.VersionIdsToStages[*put.VersionId], []string{"AWSPREVIOUS"}) || d.LastChangedDate == nil {
		t.Errorf("describe: got %+v, %v", d, err)
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	c := open(t, "", fixed("key", "first"))
	token := strings.Repeat("t", 32)
	put := func(in sdk.PutSecretValueInput) error {
		in.SecretId = aws.String("key")
		_, err := c.PutSecretValue(t.Context(), &in)
		return err
	}
	for range 2 { // the same again is no error
		if err := put(sdk.PutSecretValueInput{ClientRequestToken: &token, SecretString: aws.String("x")}); err != nil {
			t.Error(err)
		}
	}
	wantError[*types.ResourceExistsException](t, put(sdk.PutSecretValueInput{ClientRequestToken: &token, SecretString: aws.String("y")}),
		"You can't modify an existing version, you can only create a new version with a different ClientRequestToken.")
	wantError[*types.InvalidRequestException](t, put(sdk.PutSecretValueInput{}), "You must provide either SecretString or SecretBinary.")
	wantError[*types.InvalidParameterException](t, put(sdk.PutSecretValueInput{SecretString: aws.String(strings.Repeat("x", maxValue+1))}),
		"The secret value has 65537 bytes; at most 65536 are allowed.")
	wantError[*types.InvalidParameterException](t, put(sdk.PutSecretValueInput{SecretString: aws.String("x"), ClientRequestToken: aws.String("short")}),
		"ClientRequestToken must have 32 to 64 characters.")
	_, err := c.GetSecretValue(t.Context(), &sdk.GetSecretValueInput{SecretId: aws.String("key"), VersionStage: aws.String("NONE")})
	wantError[*types.ResourceNotFoundException](t, err, "Secrets Manager can't find the specified secret value for staging label: NONE")
	_, err = c.GetSecretValue(t.Context(), &sdk.GetSecretValueInput{SecretId: aws.String("key"), VersionId: &token, VersionStage: aws.String("AWSPREVIOUS")})
	wantError[*types.InvalidRequestException](t, err, "You provided a VersionStage that is not associated to the provided VersionId.")
	_, err = c.DeleteSecret(t.Context(), &sdk.DeleteSecretInput{SecretId: aws.String("key")})
	wantError[smithy.APIError](t, err, "The emulator does not have this operation of Secrets Manager: DeleteSecret")
	_, err = c.DescribeSecret(t.Context(), &sdk.DescribeSecretInput{SecretId: aws.String("none")})
	wantError[*types.ResourceNotFoundException](t, err, "Secrets Manager can't find the specified secret.")
	_, err = c.GetSecretValue(t.Context(), &sdk.GetSecretValueInput{SecretId: aws.String("")})
	wantError[smithy.APIError](t, err, "1 validation error detected: Value null at 'secretId' failed to satisfy constraint: Member must not be null")
}

func TestListSecrets(t *testing.T) {
	t.Parallel()
	c := open(t, "", fixed("a", "1"), fixed("b", "2"), fixed("c", "3"))
	var names []string
	pages := sdk.NewListSecretsPaginator(c, &sdk.ListSecretsInput{MaxResults: aws.Int32(2)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range page.SecretList {
			names = append(names, *s.Name)
			if len(s.SecretVersionsToStages) != 1 {
				t.Errorf("%s: versions %v", *s.Name, s.SecretVersionsToStages)
			}
		}
	}
	if want := []string{"a", "b", "c"}; !slices.Equal(names, want) {
		t.Errorf("got %v, want %v", names, want)
	}
	_, err := c.ListSecrets(t.Context(), &sdk.ListSecretsInput{NextToken: aws.String("9")})
	wantError[*types.InvalidNextTokenException](t, err, "The NextToken value is invalid.")
}

func TestRestart(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	random := template.GenerateSecretString{RequireEachIncludedType: true}
	c := open(t, dir, generated("random", random), fixed("fixed", "1"), fixed("put", "1"))
	want := value(t, c, "random")
	if _, err := c.PutSecretValue(t.Context(), &sdk.PutSecretValueInput{SecretId: aws.String("put"), SecretString: aws.String("2")}); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(dir, "secrets.json"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("file: got %v, %v, want mode 0600", info.Mode(), err)
	}

	// A template without the secret does not lose its value.
	open(t, dir, fixed("fixed", "1"))

	c = open(t, dir, generated("random", random), fixed("fixed", "1 in a new template"), fixed("put", "1"))
	for name, want := range map[string]string{"random": want, "fixed": "1 in a new template", "put": "2"} {
		if got := value(t, c, name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	random.PasswordLength = 20
	c = open(t, dir, generated("random", random))
	if got := value(t, c, "random"); len(got) != 20 {
		t.Errorf("with a new length: got %d characters, want 20", len(got))
	}
	if got := get(t, c, sdk.GetSecretValueInput{SecretId: aws.String("random"), VersionStage: aws.String("AWSPREVIOUS")}); aws.ToString(got.SecretString) != want {
		t.Error("the value from before is not AWSPREVIOUS")
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*")); len(left) != 1 {
		t.Errorf("left in the folder: %v", left)
	}
}

// A value that is generated once more, because the file has gone, is told of.
func TestGeneratedValuesAreLogged(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	start := func(dir string) (value, log string) {
		t.Helper()
		var b strings.Builder
		secrets := []*template.Secret{generated("random", template.GenerateSecretString{}), fixed("fixed", "1")}
		s, err := Open(Config{Secrets: secrets, Dir: dir, Log: slog.New(slog.NewTextHandler(&b, nil))})
		if err != nil {
			t.Fatal(err)
		}
		st := s.find("random").state
		return *st.Versions[st.labelled(current)].String, b.String()
	}
	logged := func(dir, log string) bool {
		return strings.Count(log, "\n") == 1 && strings.Contains(log, "level=INFO") &&
			strings.Contains(log, "name=random") && strings.Contains(log, dir)
	}
	first, log := start(dir)
	if !logged(dir, log) || strings.Contains(log, first) {
		t.Errorf("a new file: got the log %q", log)
	}
	if again, log := start(dir); again != first || log != "" {
		t.Errorf("a kept file: got the log %q, want none and the same value", log)
	}
	if err := os.Remove(filepath.Join(dir, "secrets.json")); err != nil {
		t.Fatal(err)
	}
	if again, log := start(dir); again == first || !logged(dir, log) {
		t.Errorf("a lost file: got the log %q", log)
	}
	if _, log := start(""); log != "" {
		t.Errorf("no file: got the log %q, want none", log)
	}
}

func TestPutThatCannotBeKept(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	c := open(t, dir, fixed("key", "1"))
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	_, err := c.PutSecretValue(t.Context(), &sdk.PutSecretValueInput{SecretId: aws.String("key"), SecretString: aws.String("2")})
	wantError[*types.InternalServiceError](t, err, "Internal server error")
	if got := value(t, c, "key"); got != "1" {
		t.Errorf("got %s, want 1: what is not on disk has not been put", got)
	}
}

func TestOpenErrors(t *testing.T) {
	t.Parallel()
	damaged := t.TempDir()
	if err := os.WriteFile(filepath.Join(damaged, "secrets.json"), []byte(`{"Secrets":{"a":"hunter2"}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	noVersion := t.TempDir()
	if err := os.WriteFile(filepath.Join(noVersion, "secrets.json"), []byte(`{"Secrets":{"a":{"Versions":{"x":null}}}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		cfg  Config
		want string
	}{
		{"a version that is null", Config{Dir: noVersion, Secrets: []*template.Secret{fixed("a", "1")}},
			"secrets: " + noVersion + "/secrets.json is damaged; repair it, or remove it to have new secrets made"},
		{"twice", Config{Secrets: []*template.Secret{fixed("a", ""), fixed("a", "")}}, "secrets: template.yaml:9: a: another secret is named a already"},
		{"large", Config{Secrets: []*template.Secret{fixed("a", strings.Repeat("x", maxValue+1))}},
			"secrets: template.yaml:9: a: SecretString has 65537 bytes; Secrets Manager allows 65536"},
		{"damaged", Config{Dir: damaged}, "secrets: " + damaged + "/secrets.json is damaged; repair it, or remove it to have new secrets made"},
		{"generator", Config{Secrets: []*template.Secret{generated("a", template.GenerateSecretString{PasswordLength: 5000})}},
			"secrets: template.yaml:9: a: PasswordLength is 5000; it must be 1 to 4096"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if _, err := Open(tt.cfg); err == nil || err.Error() != tt.want {
				t.Errorf("got %v\nwant %s", err, tt.want)
			}
		})
	}
}

// A secret to which the template gives no value has none until one is put, and
// keeps that.
func TestEmptySecret(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	key := fixed("key", "")
	key.Empty = true
	c := open(t, dir, key)
	_, err := c.GetSecretValue(t.Context(), &sdk.GetSecretValueInput{SecretId: aws.String("key")})
	wantError[*types.ResourceNotFoundException](t, err, "Secrets Manager can't find the specified secret value for staging label: AWSCURRENT")
	d, err := c.DescribeSecret(t.Context(), &sdk.DescribeSecretInput{SecretId: aws.String("key")})
	if err != nil || aws.ToString(d.Name) != "key" || len(d.VersionIdsToStages) != 0 {
		t.Errorf("got %+v, %v, want a secret without versions", d, err)
	}
	if _, err := c.PutSecretValue(t.Context(), &sdk.PutSecretValueInput{SecretId: aws.String("key"), SecretString: aws.String("1")}); err != nil {
		t.Fatal(err)
	}
	if got := value(t, open(t, dir, key), "key"); got != "1" {
		t.Errorf("after a restart: got %s, want 1", got)
	}
	// One that loses its value in the template keeps what it had.
	set := fixed("other", "2")
	open(t, dir, key, set)
	unset := fixed("other", "")
	unset.Empty = true
	if got := value(t, open(t, dir, key, unset), "other"); got != "2" {
		t.Errorf("without its SecretString: got %s, want 2", got)
	}
}

// What a crash left of a write has values in plain text, and is removed.
func TestUnfinishedFilesAreRemoved(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	left := filepath.Join(dir, "secrets.json.2718281828")
	if err := os.WriteFile(left, []byte("hunter2"), 0o600); err != nil {
		t.Fatal(err)
	}
	open(t, dir, fixed("key", "1"))
	if _, err := os.Stat(left); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want that it is gone", err)
	}
}

// Concurrent readers and writers see whole values; the race detector sees the
// rest.
func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	c := open(t, t.TempDir(), fixed("key", "0"))
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 5 {
				if _, err := c.PutSecretValue(t.Context(), &sdk.PutSecretValueInput{SecretId: aws.String("key"), SecretString: aws.String("1")}); err != nil {
					t.Error(err)
				}
			}
		})
		wg.Go(func() {
			for range 5 {
				if _, err := c.GetSecretValue(t.Context(), &sdk.GetSecretValueInput{SecretId: aws.String("key")}); err != nil {
					t.Error(err)
				}
				if _, err := c.ListSecrets(t.Context(), &sdk.ListSecretsInput{}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}
