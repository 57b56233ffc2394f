// The scenarios of bench/client.mjs for go-nsq, for comparison: prints messages a second.
package main

import (
	"flag"
	"fmt"
	"log"
	"strings"
	"sync/atomic"
	"time"

	nsq "github.com/nsqio/go-nsq"
)

func main() {
	address := flag.String("address", "", "TCP address of the nsqd")
	scenario := flag.String("scenario", "", "consume, batch, pipelined or awaited")
	topic := flag.String("topic", "", "")
	messages := flag.Int("messages", 0, "")
	counted := flag.Int("counted", 0, "consume: messages after which the clock stops")
	size := flag.Int("size", 200, "")
	batch := flag.Int("batch", 200, "")
	window := flag.Int("window", 1000, "publishes under way at a time")
	inFlight := flag.Int("in-flight", 2500, "")
	flag.Parse()

	var seconds float64
	done := *messages
	if *scenario == "consume" {
		seconds = consume(*address, *topic, *inFlight, *counted)
		done = *counted
	} else {
		seconds = publish(*scenario, *address, *topic, *messages, *size, *batch, *window)
	}
	fmt.Println(float64(done) / seconds)
}

func consume(address, topic string, inFlight, counted int) float64 {
	config := nsq.NewConfig()
	config.MaxInFlight = inFlight
	consumer, err := nsq.NewConsumer(topic, "ch", config)
	check(err)
	consumer.SetLoggerLevel(nsq.LogLevelError)
	var seen int64
	var first time.Time
	end := make(chan time.Time, 1)
	consumer.AddHandler(nsq.HandlerFunc(func(*nsq.Message) error {
		switch atomic.AddInt64(&seen, 1) {
		case 1:
			first = time.Now()
		case int64(counted):
			end <- time.Now()
		}
		return nil
	}))
	check(consumer.ConnectToNSQD(address))
	seconds := (<-end).Sub(first).Seconds()
	consumer.Stop()
	<-consumer.StopChan
	return seconds
}

func publish(scenario, address, topic string, messages, size, batch, window int) float64 {
	producer, err := nsq.NewProducer(address, nsq.NewConfig())
	check(err)
	producer.SetLoggerLevel(nsq.LogLevelError)
	check(producer.Ping())
	defer producer.Stop()
	body := []byte(strings.Repeat("x", size))
	bodies := make([][]byte, batch)
	for i := range bodies {
		bodies[i] = body
	}
	start := time.Now()
	switch scenario {
	case "awaited":
		for i := 0; i < messages; i++ {
			check(producer.Publish(topic, body))
		}
	case "pipelined":
		underWay(messages, window, func(done chan *nsq.ProducerTransaction) error {
			return producer.PublishAsync(topic, body, done)
		})
	case "batch":
		underWay((messages+batch-1)/batch, 8, func(done chan *nsq.ProducerTransaction) error {
			return producer.MultiPublishAsync(topic, bodies, done)
		})
	default:
		log.Fatalf("no scenario %q", scenario)
	}
	return time.Since(start).Seconds()
}

// underWay keeps window calls under way until times of them have succeeded.
func underWay(times, window int, call func(chan *nsq.ProducerTransaction) error) {
	done := make(chan *nsq.ProducerTransaction, window)
	started := 0
	for ; started < window && started < times; started++ {
		check(call(done))
	}
	for finished := 0; finished < times; finished++ {
		check((<-done).Error)
		if started < times {
			started++
			check(call(done))
		}
	}
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
