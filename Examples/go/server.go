// Counts each session's calls in the memory of the process; Mooring tells which session it is.
package main

import (
	"encoding/json"
	"log"
	"net/http"
	"os"
	"sync"
)

var (
	lock   sync.Mutex
	counts = map[string]int{}
)

func count(response http.ResponseWriter, request *http.Request) {
	session := request.Header.Get("Mooring-Session")
	lock.Lock()
	counts[session]++
	number := counts[session]
	lock.Unlock()
	response.Header().Set("Content-Type", "application/json")
	json.NewEncoder(response).Encode(map[string]int{"pid": os.Getpid(), "count": number})
}

func main() {
	http.HandleFunc("/", count)
	log.Fatal(http.ListenAndServe(os.Getenv("HOST")+":"+os.Getenv("PORT"), nil))
}
