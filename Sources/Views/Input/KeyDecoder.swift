// Turns the terminal's bytes into events: a pure function of bytes and time.
// SPDX-License-Identifier: Apache-2.0

/// Decodes keys, mouse reports, pastes and replies byte by byte.
///
/// However the bytes are split into pieces, the events are the same; only time can end a lone
/// escape (a key of its own) or an unfinished sequence (dropped).
nonisolated public struct KeyDecoder: Sendable {
    /// Seconds after which a lone ESC is the Escape key.
    public var escapeDelay = 0.025
    /// While the terminal's answers are awaited an ESC is more likely the start of one than a key,
    /// and a cut one would be typed into the application: it waits as long as a sequence does.
    public var awaitsReplies = false
    /// How mouse reports count; set once the terminal confirmed pixel reports.
    public var mouse = MouseDecoder()

    /// Seconds after which an unfinished sequence is dropped.
    static let sequenceTimeout = 0.25
    /// Seconds without a byte after which a paste counts as ended.
    static let pasteTimeout = 3.0
    static let sequenceLimit = 64
    static let stringLimit = 1024
    static let pasteLimit = 1 << 20

    private enum State {
        case ground
        /// Inside of a UTF-8 sequence with so many bytes missing.
        case utf8(missing: Int)
        case escape
        case csi
        case ss3
        /// `CSI [`: one more byte is a function key of the Linux console.
        case consoleFunction
        /// An old mouse report: so many raw bytes follow.
        case oldMouse(missing: Int)
        case string(Introducer)
        case stringEscape(Introducer)
        case paste
    }

    /// What opened a string sequence.
    private enum Introducer: UInt8 {
        case deviceControl = 0x50
        case startOfString = 0x58
        case operatingSystem = 0x5D
        case privacy = 0x5E
        case application = 0x5F
    }

    private var state = State.ground
    private var buffer: [UInt8] = []
    private var isAlt = false
    private var isOverlong = false
    private var lastByteTime = 0.0
    private var events: [InputEvent] = []

    public init() {}

    /// When `tick` has to be called if no byte comes before; nil when nothing is open.
    public var deadline: Double? {
        let lone = awaitsReplies ? max(escapeDelay, Self.sequenceTimeout) : escapeDelay
        return switch state {
        case .ground: nil
        case .escape: lastByteTime + lone
        case .csi, .ss3: lastByteTime + (buffer.isEmpty ? lone : Self.sequenceTimeout)
        case .string: lastByteTime + (buffer.isEmpty ? lone : Self.sequenceTimeout)
        case .paste: lastByteTime + Self.pasteTimeout
        case .utf8, .consoleFunction, .oldMouse, .stringEscape:
            lastByteTime + Self.sequenceTimeout
        }
    }

    /// Takes bytes that came at a time (seconds, any origin) and returns what they mean.
    public mutating func feed(_ bytes: some Sequence<UInt8>, time: Double) -> [InputEvent] {
        for byte in bytes { take(byte) }
        lastByteTime = time
        defer { events.removeAll(keepingCapacity: true) }
        return events
    }

    /// Ends what only time can end.
    public mutating func tick(time: Double) -> [InputEvent] {
        guard let deadline, time >= deadline else { return [] }
        switch state {
        case .escape:
            reset()
            key(.escape)
        case .csi where buffer.isEmpty: loneIntroducer("[")
        case .ss3 where buffer.isEmpty: loneIntroducer("O")
        case .string(let introducer) where buffer.isEmpty && !isOverlong:
            loneIntroducer(Character(Unicode.Scalar(introducer.rawValue)))
        case .paste: finishPaste(markerLength: 0)
        case .utf8:
            character("\u{FFFD}")
            reset()
        default: reset()
        }
        defer { events.removeAll(keepingCapacity: true) }
        return events
    }

    private mutating func loneIntroducer(_ text: Character) {
        reset()
        events.append(.key(KeyPress(text, .alt)))
    }

    private mutating func reset() {
        state = .ground
        buffer.removeAll(keepingCapacity: true)
        isAlt = false
        isOverlong = false
    }

    // MARK: One byte

    private mutating func take(_ byte: UInt8) {
        switch state {
        case .ground: ground(byte)
        case .utf8(let missing): utf8(byte, missing: missing)
        case .escape: escape(byte)
        case .csi: csi(byte)
        case .ss3: ss3(byte)
        case .consoleFunction:
            reset()
            if (0x41...0x45).contains(byte) {
                key(.function(Int(byte) - 0x40))
            } else if byte < 0x20 {
                ground(byte)
            }
        case .oldMouse(let missing):
            if missing > 1 { state = .oldMouse(missing: missing - 1) } else { reset() }
        case .string(let introducer): string(byte, introducer)
        case .stringEscape(let introducer):
            if byte == 0x5C {
                finishString(introducer)
            } else {
                reset()
                state = .escape
                escape(byte)
            }
        case .paste: paste(byte)
        }
    }

    private mutating func ground(_ byte: UInt8) {
        switch byte {
        case 0x1B: state = .escape
        case 0x00: key(.character(" "), .control)
        case 0x09: key(.tab)
        case 0x0D: key(.enter)
        case 0x08, 0x7F: key(.backspace)
        case 0x01...0x1A: key(.character(Character(Unicode.Scalar(byte + 0x60))), .control)
        case 0x1C...0x1F:
            key(.character(Character(Unicode.Scalar(byte + 0x40))), .control)
        case 0x20...0x7E: character(Character(Unicode.Scalar(byte)))
        case 0xC2...0xDF: begin(byte, missing: 1)
        case 0xE0...0xEF: begin(byte, missing: 2)
        case 0xF0...0xF4: begin(byte, missing: 3)
        default: character("\u{FFFD}")
        }
    }

    private mutating func begin(_ byte: UInt8, missing: Int) {
        buffer = [byte]
        state = .utf8(missing: missing)
    }

    private mutating func utf8(_ byte: UInt8, missing: Int) {
        guard (0x80...0xBF).contains(byte) else {
            character("\u{FFFD}")
            reset()
            ground(byte)
            return
        }
        buffer.append(byte)
        if missing > 1 {
            state = .utf8(missing: missing - 1)
            return
        }
        // Overlong forms and surrogates come out as one replacement character or more; keep one.
        let text = String(decoding: buffer, as: UTF8.self)
        character(text.unicodeScalars.count == 1 ? text.first ?? "\u{FFFD}" : "\u{FFFD}")
        reset()
    }

    private mutating func escape(_ byte: UInt8) {
        switch byte {
        case 0x1B: key(.escape)
        case 0x5B: state = .csi
        case 0x4F: state = .ss3
        default:
            if let introducer = Introducer(rawValue: byte) {
                state = .string(introducer)
            } else {
                state = .ground
                isAlt = true
                ground(byte)
                if case .ground = state { isAlt = false }
            }
        }
    }

    private mutating func csi(_ byte: UInt8) {
        switch byte {
        case 0x20...0x3F:
            buffer.append(byte)
            if buffer.count > Self.sequenceLimit { reset() }
        case 0x5B where buffer.isEmpty: state = .consoleFunction
        case 0x4D where buffer.isEmpty: state = .oldMouse(missing: 3)
        case 0x40...0x7E:
            let sequence = ControlSequence(parameters: buffer, final: byte)
            reset()
            dispatch(sequence)
        default:
            // Not part of any sequence: what was open is dropped, the byte counts.
            reset()
            ground(byte)
        }
    }

    private mutating func ss3(_ byte: UInt8) {
        // A modifier may stand before the letter, `SS3 5 A`.
        if (0x30...0x39).contains(byte), buffer.count < 2 {
            buffer.append(byte)
            return
        }
        let modifiers = KeyModifiers(
            parameter: Int(String(decoding: buffer, as: UTF8.self)) ?? 1)
        reset()
        if let code = KeyCode(final: byte) {
            key(code, modifiers)
        } else if byte == 0x4D {
            key(.enter, modifiers)
        } else if byte < 0x20 || byte >= 0x80 {
            ground(byte)
        }
    }

    // MARK: Strings and pastes

    private mutating func string(_ byte: UInt8, _ introducer: Introducer) {
        switch byte {
        case 0x1B: state = .stringEscape(introducer)
        case 0x07: finishString(introducer)
        case 0x18, 0x1A: reset()
        default:
            if buffer.count < Self.stringLimit { buffer.append(byte) } else { isOverlong = true }
        }
    }

    private mutating func finishString(_ introducer: Introducer) {
        let text = String(decoding: buffer, as: UTF8.self)
        let isUsable = !isOverlong
        reset()
        guard isUsable else { return }
        switch introducer {
        case .deviceControl: events.append(.reply(.deviceControl(text)))
        case .operatingSystem: events.append(.reply(.operatingSystem(text)))
        case .application: events.append(.reply(.application(text)))
        case .startOfString, .privacy: break
        }
    }

    private static let pasteEnd: [UInt8] = [0x1B, 0x5B, 0x32, 0x30, 0x31, 0x7E]

    private mutating func paste(_ byte: UInt8) {
        // Terminals paste no control characters: this is the key, and a paste whose end was lost
        // must not swallow it.
        if byte == 0x03 {
            finishPaste(markerLength: 0)
            ground(byte)
            return
        }
        let end = Self.pasteEnd
        if buffer.count >= Self.pasteLimit + end.count {
            // Keep as much as may be the start of the end marker.
            isOverlong = true
            buffer.remove(at: Self.pasteLimit)
        }
        buffer.append(byte)
        if byte == 0x7E, buffer.count >= end.count, buffer.suffix(end.count).elementsEqual(end) {
            finishPaste(markerLength: end.count)
        }
    }

    private mutating func finishPaste(markerLength: Int) {
        var content = buffer.dropLast(markerLength)
        let isTruncated = isOverlong || content.count > Self.pasteLimit
        if isTruncated { content = content.prefix(Self.pasteLimit) }
        // Terminals send carriage returns for line ends.
        let text = String(decoding: content, as: UTF8.self)
            .replacing("\r\n", with: "\n").replacing("\r", with: "\n")
        reset()
        events.append(.paste(text, isTruncated: isTruncated))
    }

    // MARK: Events

    private mutating func dispatch(_ sequence: ControlSequence) {
        if sequence.isPasteStart {
            state = .paste
        } else if let event = mouse.event(of: sequence) {
            events.append(event)
        } else if let reply = sequence.reply {
            events.append(.reply(reply))
        } else if let focus = sequence.focus {
            events.append(.focus(focus))
        } else if let press = sequence.key {
            events.append(.key(press))
        }
    }

    private mutating func key(_ code: KeyCode, _ modifiers: KeyModifiers = []) {
        events.append(.key(KeyPress(code, isAlt ? modifiers.union(.alt) : modifiers)))
    }

    private mutating func character(_ character: Character) {
        key(.character(character))
    }
}
