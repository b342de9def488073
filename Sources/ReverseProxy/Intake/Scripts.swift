internal import Exchanges
internal import HTTPWire
internal import Reactor
internal import Routing

/// What a request needs before it can go to a FastCGI process: the script that answers for its path, and none
/// of what only HTTP has.
///
/// Belongs to the loop's thread.
final class Scripts {
    private let exchanges: ExchangeTable
    private let downstreams: Downstreams
    private let buffers: Buffers
    private let plan: Plan
    private let answers: OwnAnswers
    private let clientEnds: ClientEnds
    private let files = ScriptFiles()

    init(_ owners: Owners, answers: OwnAnswers, clientEnds: ClientEnds) {
        exchanges = owners.exchanges
        downstreams = owners.downstreams
        buffers = owners.buffers
        plan = owners.plan
        self.answers = answers
        self.clientEnds = clientEnds
    }

    /// Makes the exchange of the head just parsed, which is consumed, ready for its group.
    ///
    /// - Returns: False: it is answered, or its client has gone.
    func prepare(_ exchange: Int, _ bytes: Span<UInt8>) -> Bool {
        guard let group = plan.fastCGI[Int(exchanges[exchange].group)] else { return true }
        guard let script = exchanges.scriptPath(exchange, bytes) else {
            answers.give(exchange, .zeroByte)
            return false
        }
        if group.findsScripts {
            guard findScript(exchange, script, group, bytes) else { return false }
        } else if !group.frontName.isEmpty {
            exchanges[exchange].script.length = Self.frontLength(script.path, group.frontName)
        } else {
            exchanges[exchange].script.length = 0
        }
        return suit(exchange)
    }

    private func findScript(
        _ exchange: Int, _ script: ScriptPath, _ group: FastCGIPlan, _ bytes: Span<UInt8>
    ) -> Bool {
        let now = exchanges.now
        let target = script.target(index: group.index.span) { [files] path in
            files.kind(of: path, in: group.root, now: now)
        }
        switch target {
        case .script(let length, let addsIndex):
            exchanges[exchange].script.length = Int32(truncatingIfNeeded: length)
            exchanges[exchange].script.addsIndex = addsIndex
            return true
        case .folder:
            answers.redirectToFolder(
                exchange, base: answers.base(exchange, bytes),
                mount: exchanges.mount(exchange, bytes), path: script.path,
                query: bytes.extracting(exchanges.heads.request.query(bytes)))
        case .missing: answers.give(exchange, .noScript)
        }
        return false
    }

    /// How much of a path that names the front controller itself is its name; -1: it does not.
    private static func frontLength(_ path: [UInt8], _ name: [UInt8]) -> Int32 {
        guard path.starts(with: name),
            path.count == name.count || path[name.count] == UInt8(ascii: "/")
        else { return -1 }
        return Int32(truncatingIfNeeded: name.count)
    }

    /// No upgrade, no trailers and no sign-in of a connection reach a FastCGI process, and none asks for a body:
    /// its client is asked at once.
    private func suit(_ exchange: Int) -> Bool {
        let entry = Int(exchanges[exchange].downstream)
        exchanges[exchange].signsInConnection = false
        exchanges[exchange].offeredUpgrade = .empty
        exchanges[exchange].holdsRequestTrailers = false
        exchanges[exchange].requestBody = BodyDecoder(exchanges.heads.request.body)
        var traits = exchanges[exchange].machine.traits
        let isInvited = traits.expectsContinue && downstreams[entry].input.isEmpty
        traits.upgrade = .none
        traits.expectsContinue = false
        exchanges[exchange].machine.begin(traits)
        guard isInvited else { return true }
        buffers.equip(&downstreams[entry].output)
        downstreams[entry].output.write { $0.append("HTTP/1.1 100 Continue\r\n\r\n") }
        guard downstreams.flush(entry) != .broken else {
            clientEnds.abandon(entry)
            return false
        }
        return true
    }
}
