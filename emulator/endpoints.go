package emulator

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net"
	"net/http"
	"strings"

	"crypto-ticker/emulator/internal/template"
)

// URL is where the first HTTP API answers, or without one the first REST API as
// if its stage were part of the URL; each REST API also answers at URL followed
// by its stage. There is no slash at its end. The same port answers https:// and
// wss:// too; see CertFile.
func (e *Emulator) URL() string { return "http://" + e.authority() }

// AWSURL is the endpoint of DynamoDB, Lambda and Secrets Manager, for the SDKs
// and the aws CLI (AWS_ENDPOINT_URL).
func (e *Emulator) AWSURL() string { return "http://" + authority(e.aws) }

// CertFile is the path of the certificate, in PEM, of the authority that vouches
// for https:// and wss:// at the APIs' port, for localhost, its addresses,
// *.execute-api.localhost and the template's custom domains. Functions trust it
// already, through SSL_CERT_FILE, except on macOS and Windows, where Go's
// programs ask the system, and those of Options.Handlers, which trust what this
// process does. Other clients are told in their own ways: boto3 and the aws CLI
// by AWS_CA_BUNDLE. Without Options.Data it is another one at each start and goes
// with Close.
func (e *Emulator) CertFile() string { return e.signer.CertFile() }

// WebSocketURL is the address of the first stage of a WebSocket API, by its
// logical id; further stages have their names in its place. It is "" if the
// template has no such API.
func (e *Emulator) WebSocketURL(api string) string {
	for _, a := range e.stack.WebSocketAPIs {
		if a.LogicalID == api {
			return e.webSocketURL(a)
		}
	}
	return ""
}

func (e *Emulator) webSocketURL(a *template.WebSocketAPI) string {
	return "ws://" + e.hosts[a.ID] + "/" + a.Stage
}

// authority is the host and port at which this machine reaches the APIs.
func (e *Emulator) authority() string { return authority(e.api) }

func authority(l net.Listener) string {
	a := l.Addr().(*net.TCPAddr)
	if a.IP.IsUnspecified() {
		return fmt.Sprintf("127.0.0.1:%d", a.Port)
	}
	return a.String()
}

// endpoints are the variables by which SDKs in functions find the services, and
// by which functions trust the APIs' port where they build its https:// address
// from an event.
// https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
func (e *Emulator) endpoints() map[string]string {
	env := map[string]string{
		// What is not emulated must fail here, and not reach AWS.
		"AWS_ENDPOINT_URL":                  e.AWSURL(),
		"AWS_ENDPOINT_URL_DYNAMODB":         e.AWSURL(),
		"AWS_ENDPOINT_URL_DYNAMODB_STREAMS": e.AWSURL(),
		"AWS_ENDPOINT_URL_LAMBDA":           e.AWSURL(),
		"AWS_ENDPOINT_URL_SECRETS_MANAGER":  e.AWSURL(),
		"SSL_CERT_FILE":                     e.signer.BundleFile(),
	}
	if len(e.stack.WebSocketAPIs) == 1 { // with more, only the function knows which it means
		a := e.stack.WebSocketAPIs[0]
		env["AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI"] = e.URL() + "/" + a.Stage
	}
	return env
}

// services tells the AWS services on the one endpoint apart.
func (e *Emulator) services() http.Handler {
	targets := map[string]http.Handler{
		"DynamoDB_20120810":        e.tables,
		"DynamoDBStreams_20120810": e.tables,
		"secretsmanager":           e.secrets,
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		service, _, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
		switch h := targets[service]; {
		case r.Header["Origin"] != nil: // a browser sends it, an SDK does not
			refuse(w, r, http.StatusForbidden, "AccessDenied",
				"Web pages may not use this endpoint: whoever reaches it can read every table and secret.")
		case h != nil:
			h.ServeHTTP(w, r)
		case strings.HasPrefix(r.URL.Path, "/2015-03-31/"):
			e.functions.ServeHTTP(w, r)
		case r.Method == http.MethodGet && r.URL.Path == "/" && r.Header["Authorization"] == nil:
			w.Header().Set("Content-Type", "text/plain; charset=utf-8")
			e.Describe(w)
		default:
			refuse(w, r, http.StatusBadRequest, "UnknownOperationException",
				"This service is not emulated: there are DynamoDB, Lambda and Secrets Manager.")
		}
	})
}

// queryError and restError are the errors of the services that speak XML.
// https://smithy.io/2.0/aws/protocols/aws-query-protocol.html#operation-error-serialization
// https://smithy.io/2.0/aws/protocols/aws-restxml-protocol.html#operation-error-serialization
type (
	queryError struct {
		XMLName xml.Name `xml:"ErrorResponse"`
		Error   restError
	}
	restError struct {
		XMLName xml.Name `xml:"Error"`
		Type    string
		Code    string
		Message string
	}
)

// refuse answers with an error in the protocol that the request is in.
func refuse(w http.ResponseWriter, r *http.Request, status int, code, message string) {
	var kind string
	var body []byte
	var err error
	switch xmlError := (restError{Type: "Sender", Code: code, Message: message}); {
	case r.Header["X-Amz-Target"] != nil:
		kind = r.Header.Get("Content-Type")
		body, err = json.Marshal(map[string]string{"__type": code, "message": message})
	case strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded"):
		kind = "text/xml"
		body, err = xml.Marshal(queryError{Error: xmlError})
	default:
		kind = "application/xml"
		body, err = xml.Marshal(xmlError)
	}
	if err != nil {
		panic(err) // these types can be encoded
	}
	w.Header().Set("Content-Type", kind)
	w.WriteHeader(status)
	w.Write(body) // an error means that the client has gone
}
