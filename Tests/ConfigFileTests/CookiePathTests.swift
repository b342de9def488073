internal import ConfigFile
internal import Testing

@Suite struct CookiePathTests {
    private func configuration(_ routes: String, affinity: String = "") throws -> Configuration {
        let text = """
            [group.a]
            servers = ["127.0.0.1:1"]
            [group.b]
            servers = ["127.0.0.1:2"]
            \(affinity)
            [routes]
            \(routes)
            """
        return try ConfigurationReader.read(
            text: text, file: "mooring.toml", folder: "/srv", environment: ["HOME": "/root"],
            isRoot: true
        ).get()
    }

    @Test func `groups at different paths set their cookies for those`() throws {
        let read = try configuration("\"/\" = \"a\"\n\"/admin\" = \"b\"")
        #expect(read.cookiePath(ofGroup: 0) == "/")
        #expect(read.cookiePath(ofGroup: 1) == "/admin")
        #expect(read.warnings.isEmpty)
    }

    @Test func `a group with several routes sets it for what they have in common`() throws {
        let read = try configuration("\"/x/one\" = \"a\"\n\"/x/two/y\" = \"a\"\n\"/xy\" = \"b\"")
        #expect(read.cookiePath(ofGroup: 0) == "/x")
        #expect(read.cookiePath(ofGroup: 1) == "/xy")
    }

    @Test func `two groups with one cookie at one path are warned of`() throws {
        let routes = "\"/a\" = \"a\"\n\"/b\" = \"a\"\n\"/c\" = \"b\"\n\"/d\" = \"b\""
        let shared = try configuration(routes)
        #expect(shared.warnings.count == 1)
        #expect(shared.warnings.first?.contains("group.b") == true)
        let apart = try configuration(routes, affinity: "affinity = { cookie = \"other\" }")
        #expect(apart.warnings.isEmpty)
    }

    @Test func `groups of different hosts do not share`() throws {
        let read = try configuration("\"one.org/\" = \"a\"\n\"two.org/\" = \"b\"")
        #expect(read.warnings.isEmpty)
    }
}
