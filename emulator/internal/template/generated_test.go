package template

import (
	"strings"
	"testing"
)

// made is a template in which SAM makes many resources; the ids are those that
// its translator gives them.
const made = sam + `
Conditions: {Aye: !Equals [a, a], Never: !Equals [a, b]}
Parameters: {Alias: {Type: String, Default: live}}
Resources:
  Fn:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: fn
      Handler: h
      Runtime: provided.al2023
      AutoPublishAlias: !Ref Alias
      DeploymentPreference: {Type: AllAtOnce}
      FunctionUrlConfig: {AuthType: NONE}
      Role: !If [Aye, !Ref AWS::NoValue, x]
      EventInvokeConfig: {DestinationConfig: {OnSuccess: {Type: SQS}, OnFailure: {Type: SNS}}}
      Events:
        Old: {Type: Schedule, Properties: {Schedule: rate(1 day), DeadLetterConfig: {Type: SQS}}}
        New: {Type: ScheduleV2, Properties: {ScheduleExpression: rate(1 day), Name: nightly}}
        Que: {Type: SQS, Properties: {Queue: x}}
        Web: {Type: HttpApi, Properties: {Path: /a, Method: get}}
        Fan: {Type: SNS, Properties: {Topic: x, SqsSubscription: true}}
  Away: {Type: AWS::Serverless::Function, Condition: Never, Properties: {FunctionUrlConfig: {AuthType: NONE}, AutoPublishAlias: live}}
  Rest: {Type: AWS::Serverless::Api, Properties: {StageName: prod, Auth: {UsagePlan: {CreateUsagePlan: SHARED}}}}
  Ws:
    Type: AWS::Serverless::WebSocketApi
    Properties:
      RouteSelectionExpression: $request.body.action
      Auth: {AuthType: CUSTOM, AuthArn: !GetAtt Fn.Arn, IdentitySource: [route.request.header.A]}
      Routes: {$connect: {FunctionArn: !GetAtt Fn.Arn}}
  Live: {Type: AWS::Lambda::Alias, Properties: {FunctionName: !Ref Fn, Name: blue, FunctionVersion: !GetAtt One.Version}}
  One: {Type: AWS::Lambda::Version, Properties: {FunctionName: !GetAtt Fn.Arn}}
  T:
    Type: AWS::SNS::Topic
    DependsOn: [FnUrl, FnUrlPublicPermissions, FnURLInvokeAllowPublicAccess, FnRole, FnAliaslive, FnVersion03ba323aca, FnDeploymentGroup,
      ServerlessDeploymentApplication, CodeDeployServiceRole, FnEventInvokeConfig, FnEventInvokeConfigOnFailureTopic, FnOld,
      FnOldPermission, FnOldQueue, FnOldQueuePolicy, FnNew, FnNewRole, FnQue, FnWebPermission, FnFan, FnFanQueue, FnFanEventSourceMapping,
      AwayUrl, RestDeploymentc72fd9753a, RestprodStage, ServerlessUsagePlan, ServerlessApiKey, WsConnectRoute, WsConnectIntegration,
      WsConnectPermission, WsConnectAuthorizer, WsAuthorizerPermission, WsDefaultStage]
Outputs: {O: {Value: `

func TestGenerated(t *testing.T) {
	t.Parallel()
	const arn = "arn:aws:lambda:us-east-1:123456789012:function:Fn"
	for _, tt := range []struct{ value, want string }{
		{"!GetAtt FnUrl.FunctionUrl", "https://n69ykxfyppgrucnxecovqycamn17b32s.lambda-url.us-east-1.on.aws/"},
		{"!Ref FnUrl", arn},
		{"!Ref FnAliaslive", arn + ":live"},
		{"!GetAtt Fn.Alias.AliasArn", arn + ":live"},
		{"!Ref FnVersion03ba323aca", arn + ":1"},
		{`!Sub "${Fn.Version.Version} ${Fn.Version}"`, "1 " + arn + ":1"},
		{"!GetAtt FnRole.RoleId", "stack-FnRole-E0P11E7AIX8Z"},
		{"!Ref FnOld", "FnOld"},
		{"!GetAtt FnOld.Arn", "arn:aws:events:us-east-1:123456789012:rule/FnOld"},
		{"!GetAtt FnNew.Arn", "arn:aws:scheduler:us-east-1:123456789012:schedule/default/nightly"},
		{"!GetAtt FnQue.Id", "FnQue"},
		{"!Ref Fn.DestinationTopic", "arn:aws:sns:us-east-1:123456789012:stack-FnEventInvokeConfigOnFailureTopic-JT3D1F0MVDZX"},
		{"!GetAtt Fn.DestinationQueue.Arn", "arn:aws:sqs:us-east-1:123456789012:stack-FnEventInvokeConfigOnSuccessQueue-8IO0E9OIGTU4"},
		{"!Ref RestprodStage", "prod"},
		{"!Ref Rest.UsagePlan", "stack-ServerlessUsagePlan-PEHIRCTRPURC"},
		{"!Ref Live", arn + ":blue"},
		{"!GetAtt Live.AliasArn", arn + ":blue"},
		{"!Ref One", arn + ":1"},
		{"!GetAtt One.Version", "1"},
	} {
		t.Run(tt.value, func(t *testing.T) {
			t.Parallel()
			s := parse(t, made+tt.value+"}}\n", Options{StackName: "stack"})
			if got := s.Outputs[0].Value; got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestGeneratedErrors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ value, want string }{
		{"!Ref AwayUrl", "Ref refers to AwayUrl, which does not exist since its condition Never is false; choose with Fn::If"},
		{"!Ref Away.Alias", "Ref refers to Away.Alias, which does not exist since its condition Never is false; choose with Fn::If"},
		{"!Ref FnVersion1", `Ref refers to "FnVersion1", which does not exist; did you mean Fn.Version?`},
		{"!Ref FnUrI", `Ref refers to "FnUrI", which does not exist; did you mean FnUrl?`},
		{"!Ref Rest.ApiKeys", `Ref refers to "Rest.ApiKeys", which does not exist; did you mean Rest.ApiKey?`},
		{"!GetAtt WsDefaultStage.Name", "Fn::GetAtt refers to WsDefaultStage.Name; AWS::ApiGatewayV2::Stage has no attributes"},
	} {
		t.Run(tt.value, func(t *testing.T) {
			t.Parallel()
			_, err := Parse("template.yaml", []byte(made+tt.value+"}}\n"), Options{})
			if err == nil {
				t.Fatal("got no error")
			}
			if _, got, _ := strings.Cut(err.Error(), "output O: "); got != tt.want {
				t.Errorf("got\n%s\nwant\n%s", err, tt.want)
			}
		})
	}
}

// TestAliasAsFunction lets an API name an alias, of the template or made by SAM.
func TestAliasAsFunction(t *testing.T) {
	t.Parallel()
	for _, ref := range []string{"!Ref Live", "!Ref One", "!Ref Fn.Alias", "!GetAtt Live.AliasArn"} {
		src := strings.Replace(made, "{$connect: {FunctionArn: !GetAtt Fn.Arn}}", "{$connect: {FunctionArn: "+ref+"}}", 1) + "x}}\n"
		got := parse(t, src, Options{}).WebSocketAPIs[0].Routes["$connect"].FunctionARN
		if want := "arn:aws:lambda:us-east-1:123456789012:function:Fn"; got != want {
			t.Errorf("%s: got %s, want %s", ref, got, want)
		}
	}
}
