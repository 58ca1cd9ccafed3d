package main

import "crypto-ticker/functions"

func main() { functions.Main(functions.Keys) }
