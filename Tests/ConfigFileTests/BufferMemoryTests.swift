internal import Settings
internal import Testing

@testable internal import ConfigFile

@Suite struct BufferMemoryTests {
    private static let group = "[group.a]\nservers = [\"127.0.0.1:1\"]\n"

    @Test(
        arguments: [("\"auto\"", nil), ("\"1MiB\"", 1 << 20), ("\"3GiB\"", 3 << 30)]
            as [(String, Int?)])
    func `the buffers' memory is an amount or automatic`(text: String, bytes: Int?) throws {
        let configuration = try read("[limits]\nbuffer_memory = \(text)\n" + Self.group)
        #expect(configuration.limits.bufferMemory == bytes)
        #expect(configuration.text(showsEnvironment: true).contains("buffer_memory = \(text)\n"))
    }

    @Test(arguments: ["\"0\"", "\"512KiB\"", "\"automatic\"", "64", "\"64\"", "true", "\"\""])
    func `what is no amount of memory for buffers is refused with what would be one`(text: String) {
        let found = problems("[limits]\nbuffer_memory = \(text)\n" + Self.group)
        #expect(found.count == 1)
        #expect(found.first?.hasPrefix("mooring.toml:2: limits.buffer_memory: ") == true)
        #expect(found.first?.contains("needs \"auto\" or ") == true)
    }
}
