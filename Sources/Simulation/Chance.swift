/// The one source of randomness of a run.
///
/// Every draw has a name. With a seed, a generator makes the draws, which are recorded on demand; a
/// recorded run takes them from its list, step by step and by name. So a recording stays valid when
/// the simulation learns to draw something new: a draw missing from a step's list is the least
/// possible value.
final class Chance {
    private var generator: SeededGenerator
    /// The draws of the current recorded step that were not used yet; nil: the run has a seed.
    private var given: [Recording.Draw]?
    private let isRecording: Bool
    private(set) var recording = Recording()

    init(seed: UInt64, isRecording: Bool) {
        generator = SeededGenerator(seed: seed)
        self.isRecording = isRecording
    }

    /// A source without a generator: draws missing from the recording are the least possible value.
    init() {
        generator = SeededGenerator(seed: 0)
        given = []
        isRecording = false
    }

    /// Begins a step, with its recorded draws.
    func begin(_ draws: [Recording.Draw] = []) {
        if given != nil { given = draws }
        if isRecording { recording.steps.append([]) }
    }

    /// True with the given probability in percent.
    func percent(_ name: String, _ share: Int) -> Bool {
        draw(name) {
            $0 == "yes"
        } otherwise: {
            Int.random(in: 0..<100, using: &$0) < share
        } text: {
            $0 ? "yes" : "no"
        } ?? false
    }

    func pick<Element>(_ name: String, _ choices: [Element]) -> Element {
        draw(name) { text in
            choices.first { "\($0)" == text } ?? choices[0]
        } otherwise: {
            choices[Int.random(in: choices.indices, using: &$0)]
        } text: {
            "\($0)"
        } ?? choices[0]
    }

    /// Picks by weight.
    func pick<Element>(_ name: String, _ choices: [(Element, share: Int)]) -> Element {
        draw(name) { text in
            (choices.first { "\($0.0)" == text } ?? choices[0]).0
        } otherwise: {
            var rest = Int.random(in: 0..<choices.reduce(0) { $0 + $1.share }, using: &$0)
            for (choice, share) in choices {
                if rest < share { return choice }
                rest -= share
            }
            preconditionFailure("the shares are those that were added up")
        } text: {
            "\($0)"
        } ?? choices[0].0
    }

    func int<Number: FixedWidthInteger>(_ name: String, in range: ClosedRange<Number>) -> Number {
        draw(name) { text in
            min(max(Number(text) ?? range.lowerBound, range.lowerBound), range.upperBound)
        } otherwise: {
            Number.random(in: range, using: &$0)
        } text: {
            "\($0)"
        } ?? range.lowerBound
    }

    func int(_ name: String, in range: Range<Int>) -> Int {
        int(name, in: range.lowerBound...range.upperBound - 1)
    }

    /// Nil if the collection is empty.
    func element<Element>(_ name: String, of elements: some Collection<Element>) -> Element? {
        if elements.isEmpty { return nil }
        let index = int(name, in: 0..<elements.count)
        return elements[elements.index(elements.startIndex, offsetBy: index)]
    }

    func word(_ name: String) -> UInt64 { int(name, in: 0...UInt64.max) }

    /// Nil if the recorded step lacks the draw.
    private func draw<Value>(
        _ name: String, from: (String) -> Value,
        otherwise: (inout SeededGenerator) -> Value, text: (Value) -> String
    ) -> Value? {
        if let given {
            guard let index = given.firstIndex(where: { $0.name == name }) else { return nil }
            self.given?.remove(at: index)
            return from(given[index].value)
        }
        let value = otherwise(&generator)
        if isRecording {
            let draw = Recording.Draw(name: name, value: text(value))
            recording.steps[recording.steps.count - 1].append(draw)
        }
        return value
    }
}
