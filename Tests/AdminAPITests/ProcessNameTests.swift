internal import Testing

@testable internal import AdminAPI

@Suite struct ProcessNameTests {
    private let labels = ["k3f9abcd", "k3f9xyzw", "m7qtabcd", "10.0.0.7:8000"]

    @Test(arguments: [
        ("m7qt", "m7qtabcd"), ("m7qtabcd", "m7qtabcd"), ("k3f9x", "k3f9xyzw"),
        ("10.0.0.7:8000", "10.0.0.7:8000"),
    ])
    func `a process is named by its id or by the beginning of it`(
        _ name: (given: String, label: String)
    ) throws {
        #expect(try ProcessName(name.given).find(in: labels) == name.label)
    }

    @Test(arguments: ["", "m7q", "m7qtabcde", "zzzz", "10.0"])
    func `nothing else names one`(_ given: String) {
        #expect(throws: AdminRefusal.noSuchProcess(given)) {
            try ProcessName(given).find(in: labels)
        }
    }

    @Test func `where several begin so they are named`() {
        #expect(throws: AdminRefusal.severalProcesses(["k3f9abcd", "k3f9xyzw"])) {
            try ProcessName("k3f9").find(in: labels)
        }
    }
}
