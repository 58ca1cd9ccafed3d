package push

import (
	"encoding/json"
	"strconv"

	"crypto-ticker/shared/market"
)

// Subprotocol names the messages of this package in the WebSocket handshake.
const Subprotocol = "crypto-ticker.v1"

// Bytes of a ticker message.
//
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html
const (
	goodMessage = 32 << 10  // what AWS charges as one message, and sends as one frame
	maxMessage  = 128 << 10 // API Gateway's limit: for so many clients that each gets fewer messages
)

// The types of the server's messages, besides ticker. Clients ignore types that
// they do not know.
const (
	TypeWelcome      = "welcome"      // the first message: UserID, Protocol and Symbols
	TypePong         = "pong"         // answers ping
	TypeSubscribed   = "subscribed"   // answers subscribe: Symbols and Mode as they are now
	TypeUnsubscribed = "unsubscribed" // answers unsubscribe: Symbols as they are now
	TypeHeartbeat    = "heartbeat"    // nothing else was sent for a while
	TypeError        = "error"        // Code, for programs, and Message, for people
	TypeReconnect    = "reconnect"    // Message: API Gateway will end the connection soon, so make a new one first
)

// Message is a message of the server other than ticker.
type Message struct {
	Type     string          `json:"type"`
	ID       json.RawMessage `json:"id,omitempty"` // of the client's message that it answers
	UserID   string          `json:"user_id,omitempty"`
	Protocol string          `json:"protocol,omitempty"`
	Symbols  []string        `json:"symbols,omitzero"`
	Mode     string          `json:"mode,omitempty"` // all or latest
	Code     string          `json:"code,omitempty"`
	Message  string          `json:"message,omitempty"`
}

// JSON returns the message as it is sent. An ID that is no JSON is left out.
func (m Message) JSON() []byte {
	if !json.Valid(m.ID) {
		m.ID = nil
	}
	body, err := json.Marshal(m)
	if err != nil {
		panic(err) // strings, numbers and valid JSON only
	}
	return body
}

// Snapshot returns a ticker message with the prices as they were after the tick
// seq, for a connection that gets the following ones from now on.
func Snapshot(epoch, seq int64, quotes []market.Quote) []byte {
	b := appendTickerHead(make([]byte, 0, 128+128*len(quotes)), epoch, seq, seq, 0)
	for i, q := range quotes {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendEntry(b, q)
	}
	return append(b, "]}"...)
}

// appendTickerHead appends a ticker message up to its entries. It has the ticks
// from to seq; a client that has seen less than from - 1 has missed some. The
// interval between two messages is in milliseconds; 0 leaves it out.
func appendTickerHead(b []byte, epoch, from, seq, interval int64) []byte {
	b = append(b, `{"type":"ticker","epoch":`...)
	b = strconv.AppendInt(b, epoch, 10)
	b = append(b, `,"from":`...)
	b = strconv.AppendInt(b, from, 10)
	b = append(b, `,"seq":`...)
	b = strconv.AppendInt(b, seq, 10)
	if interval > 0 {
		b = append(b, `,"interval":`...)
		b = strconv.AppendInt(b, interval, 10)
	}
	return append(b, `,"data":[`...)
}

// appendEntry appends a price. Symbols and sources are plain names and a price
// is a JSON number already, so nothing needs escaping. About 100 bytes: a second
// of three symbols at 100 ticks fits one message.
func appendEntry(b []byte, q market.Quote) []byte {
	ms := q.Time.UnixMilli()
	b = append(b, `{"symbol":"`...)
	b = append(b, q.Symbol...)
	b = append(b, `","price":`...)
	b = append(b, q.Price...)
	b = append(b, `,"timestamp":`...)
	b = strconv.AppendInt(b, ms/1000, 10)
	b = append(b, `,"time":`...)
	b = strconv.AppendInt(b, ms, 10)
	b = append(b, `,"source":"`...)
	b = append(b, q.Source...)
	b = append(b, '"')
	if q.Stale {
		b = append(b, `,"stale":true`...)
	}
	return append(b, '}')
}
