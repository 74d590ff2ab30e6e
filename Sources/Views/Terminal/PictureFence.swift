// How much the terminal can take: one batch of pictures in flight, how good, in which pieces.
// SPDX-License-Identifier: Apache-2.0

/// Back-pressure by status requests: behind each batch of pictures goes `CSI 5 n`, and the answer
/// comes when the terminal has digested all before it.
///
/// Pure: times are seconds of any monotonic clock.
nonisolated package struct PictureFence: Sendable {
    /// Above this, three times in a row: step down.
    static let slow = 0.150
    /// Below this, ten times in a row: step up.
    static let fast = 0.040
    /// No answer for so long: the terminal has no fences.
    static let timeout = 2.0
    /// Seconds between pictures without fences.
    static let fencelessInterval = 0.2
    /// Batches of at most so many bytes count as tiles: two may be in flight.
    static let tileBytes = 16 << 10
    /// Bytes a second below which a line is slow: all that is sent waits for its answer.
    static let slowRate = 300_000.0
    /// Seconds that what is under way on a slow line may take: a key waits behind it.
    static let slowShare = 0.04
    /// Text of so many bytes tells the line's rate before the first picture goes out.
    static let tellingText = 2048
    /// No picture fits into less.
    static let leastBudget = 768
    /// On a slow line so many bytes of text go out without a request behind them.
    static let smallText = 256

    package static let request = "\u{1B}[5n"

    private struct Flight {
        var start: Double
        /// When the last byte was written; nil while some wait.
        var written: Double?
        var isTiles: Bool
        var bytes: Int
        var isText: Bool
    }

    private var flights: [Flight] = []
    private var lastStart = -Double.infinity
    private var slowInARow = 0
    private var fastInARow = 0
    /// Whether the terminal did not answer; ends with its next answer.
    package private(set) var isFenceless = false
    package private(set) var level = PictureLevel.full
    /// Newer versions that replaced one never sent.
    package var drops = 0
    /// Bytes a second that the terminal digested last, without the way there and back.
    package private(set) var throughput: Double?
    /// Bytes of text since the last request.
    private var unasked = 0
    /// Seconds that a far terminal takes to answer a question of a few bytes.
    private var roundTrip = 0.0

    package init() {}

    package var isWaiting: Bool { !flights.isEmpty }

    /// Whether the line is known to be slow.
    package var isSlow: Bool { (throughput ?? .infinity) < Self.slowRate }

    /// Bytes that may be under way on a slow line.
    package var budget: Int { max(Self.leastBudget, Int((throughput ?? 0) * Self.slowShare)) }

    /// Whether another frame may be composed: on a slow line only when the last ones have come
    /// through for the most part, so that frames are left out instead of queued.
    package var canCompose: Bool {
        !isSlow || isFenceless || flights.reduce(0) { $0 + $1.bytes } <= budget / 2
    }

    /// Whether the answer to so many bytes of text is wanted.
    package func needsAnswer(toText bytes: Int) -> Bool {
        if isFenceless { return false }
        return isSlow
            ? unasked + bytes >= Self.smallText
            : throughput == nil && flights.isEmpty && bytes >= Self.tellingText
    }

    /// Text went out that no answer was asked for.
    package mutating func passed(text bytes: Int) { unasked += bytes }

    /// Whether pictures may be sent now.
    package func canSend(now: Double, tilesOnly: Bool) -> Bool {
        if isFenceless { return now - lastStart >= Self.fencelessInterval }
        if flights.isEmpty { return true }
        return tilesOnly && flights.count == 1 && flights[0].isTiles && !isSlow
    }

    /// The answer to a question of a few bytes took so long.
    package mutating func answered(after seconds: Double) { roundTrip = seconds }

    /// A batch goes out, with a request behind it.
    package mutating func sent(bytes: Int, now: Double, isText: Bool = false) {
        if !isText { lastStart = now }
        unasked = 0
        flights.append(
            Flight(
                start: now, written: nil, isTiles: !isText && bytes <= Self.tileBytes,
                bytes: bytes,
                isText: isText))
    }

    /// All bytes have been written.
    package mutating func written(now: Double) {
        for i in flights.indices where flights[i].written == nil { flights[i].written = now }
    }

    /// An answer came.
    package mutating func answered(now: Double) {
        isFenceless = false
        guard !flights.isEmpty else { return }
        let flight = flights.removeFirst()
        let time = max(now - flight.start, 0.000_1)
        if flight.bytes >= Self.tellingText || isSlow || time > Self.slow {
            // The way was perhaps measured while the terminal was busy: a part of the time stays.
            let transfer = max(time - roundTrip, time / 4)
            let rate = Double(flight.bytes) / transfer
            // A few bytes that a buffer on the way swallowed do not make a slow line quick.
            throughput = isSlow ? min(rate, 2 * (throughput ?? rate)) : rate
        }
        if flight.isText { return }
        slowInARow = time > Self.slow ? slowInARow + 1 : 0
        if time >= Self.fast {
            fastInARow = 0
        } else if !flight.isTiles {
            // A quick tile says nothing about whole pictures.
            fastInARow += 1
        }
        if slowInARow >= 3 {
            level = PictureLevel(rawValue: level.rawValue - 1) ?? level
            slowInARow = 0
        } else if fastInARow >= 10 {
            level = PictureLevel(rawValue: level.rawValue + 1) ?? level
            fastInARow = 0
        }
    }

    /// When `tick` has to look, or pictures may go again; nil for never.
    package var deadline: Double? {
        if isFenceless { return lastStart + Self.fencelessInterval }
        return flights.first?.written.map { $0 + Self.timeout }
    }

    /// Gives up on an answer that does not come.
    package mutating func tick(now: Double) {
        if let written = flights.first?.written, now - written >= Self.timeout {
            isFenceless = true
            flights.removeAll()
        }
        // Without fences every batch counts as digested.
        if isFenceless { flights.removeAll() }
    }

    /// The terminal was left and entered again: answers on the way are lost.
    package mutating func reset() { flights.removeAll() }
}
