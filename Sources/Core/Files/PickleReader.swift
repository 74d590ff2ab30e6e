// Reads the pickle of a PyTorch checkpoint without running anything.
// SPDX-License-Identifier: Apache-2.0

/// An interpreter for the part of the pickle language that describes dictionaries of tensors.
///
/// Python's own reader imports and calls whatever a file names. This one knows a fixed list of
/// opcodes and of names (``PickleGlobal``), builds plain values, and refuses the rest. Opcodes,
/// memo, stack and containers are limited, so that a hostile file ends in one error.
/// Source: CPython `Lib/pickletools.py` for the opcodes; protocols 2 to 5.
struct PickleReader {
    /// Limits that no real checkpoint comes near.
    struct Limits {
        var opcodes = 20_000_000
        var memo = 4_000_000
        var stack = 1_000_000
        var containers = 2_000_000
    }

    private var reader: ByteReader
    private let limits: Limits
    private var stack: [PickleValue] = []
    private var marks: [Int] = []
    private var memo: [UInt32: PickleValue] = [:]
    /// Every container made, so that none is freed through a long chain of others.
    private var containers: [PickleNode] = []

    /// Reads a pickle and hands its value to `body`; afterwards all containers are emptied.
    ///
    /// - Throws: ``FileFormatError``, and whatever `body` throws.
    static func read<R>(
        _ bytes: UnsafeRawBufferPointer, path: String, limits: Limits = Limits(),
        body: (PickleValue) throws -> R
    ) throws -> R {
        try read(bytes, from: 0, path: path, limits: limits) { value, _ in try body(value) }
    }

    /// Reads the pickle that begins at an offset; `body` also gets the offset of what follows it.
    ///
    /// - Throws: ``FileFormatError``, and whatever `body` throws.
    static func read<R>(
        _ bytes: UnsafeRawBufferPointer, from start: Int, path: String,
        limits: Limits = Limits(), subject: String = "data.pkl",
        body: (PickleValue, _ end: Int) throws -> R
    ) throws -> R {
        var machine = PickleReader(
            reader: ByteReader(bytes, path: path, subject: subject, offset: start),
            limits: limits)
        // Emptied one by one: neither cycles nor deep chains survive.
        defer {
            machine.memo = [:]
            machine.stack = []
            for node in machine.containers {
                node.items = []
                node.keys = []
            }
        }
        let value = try machine.run()
        return try body(value, machine.reader.offset)
    }

    private init(reader: ByteReader, limits: Limits) {
        self.reader = reader
        self.limits = limits
    }

    private mutating func run() throws(FileFormatError) -> PickleValue {
        for _ in 0..<limits.opcodes {
            let opcode = try reader.byte()
            if opcode == UInt8(ascii: ".") { return try pop() }
            try execute(opcode)
        }
        throw tooLarge("the number of pickle opcodes", limits.opcodes)
    }

    // MARK: Opcodes

    private mutating func execute(_ opcode: UInt8) throws(FileFormatError) {
        switch opcode {
        case 0x80: try checkProtocol()
        case 0x95: try reader.skip(8)  // FRAME: a hint for buffered reading
        case UInt8(ascii: "("): marks.append(stack.count)
        case UInt8(ascii: "0"): _ = try pop()
        case UInt8(ascii: "1"): _ = try popToMark()
        case UInt8(ascii: "N"): try push(.none)
        case 0x88: try push(.bool(true))
        case 0x89: try push(.bool(false))
        case UInt8(ascii: "J"): try push(.int(Int(try reader.little(Int32.self))))
        case UInt8(ascii: "K"): try push(.int(Int(try reader.byte())))
        case UInt8(ascii: "M"): try push(.int(Int(try reader.little(UInt16.self))))
        case 0x8a: try push(.int(try long()))
        case UInt8(ascii: "G"): try push(.float(Double(bitPattern: try reader.big(UInt64.self))))
        case UInt8(ascii: "X"): try pushString(Int(try reader.little(UInt32.self)))
        case 0x8c: try pushString(Int(try reader.byte()))
        case 0x8d: try pushString(try reader.littleSize())
        case UInt8(ascii: "U"): try pushString(Int(try reader.byte()))
        case UInt8(ascii: "T"): try pushString(Int(try reader.little(UInt32.self)))
        case UInt8(ascii: "C"): try pushOpaque(Int(try reader.byte()))
        case UInt8(ascii: "B"): try pushOpaque(Int(try reader.little(UInt32.self)))
        case UInt8(ascii: ")"): try push(.tuple(try node([])))
        case 0x85: try pushTuple(1)
        case 0x86: try pushTuple(2)
        case 0x87: try pushTuple(3)
        case UInt8(ascii: "t"): try push(.tuple(try node(try popToMark())))
        case UInt8(ascii: "]"): try push(.list(try node([])))
        case UInt8(ascii: "l"): try push(.list(try node(try popToMark())))
        case UInt8(ascii: "a"): try append([try pop()])
        case UInt8(ascii: "e"): try append(try popToMark())
        case UInt8(ascii: "}"): try push(.dictionary(try node([])))
        case UInt8(ascii: "s"): try setItems(try pop(2))
        case UInt8(ascii: "u"): try setItems(try popToMark())
        case UInt8(ascii: "q"): try remember(UInt32(try reader.byte()))
        case UInt8(ascii: "r"): try remember(try reader.little(UInt32.self))
        case 0x94: try remember(UInt32(memo.count))
        case UInt8(ascii: "h"): try recall(UInt32(try reader.byte()))
        case UInt8(ascii: "j"): try recall(try reader.little(UInt32.self))
        case UInt8(ascii: "c"): try global(module: try line(), name: try line())
        case 0x93: try stackGlobal()
        case UInt8(ascii: "R"): try reduce()
        case UInt8(ascii: "b"): _ = try pop()  // BUILD: `_metadata` of a state dict, not needed
        case UInt8(ascii: "Q"): try persistentID()
        default:
            throw .unsupported(
                path: reader.path,
                what: "pickle opcode 0x\(String(opcode, radix: 16)) at byte \(reader.offset - 1)",
                hint: "save only the dictionary of tensors (state_dict)")
        }
    }

    private mutating func checkProtocol() throws(FileFormatError) {
        let version = try reader.byte()
        guard 2...5 ~= version else {
            throw .unsupported(
                path: reader.path, what: "pickle protocol \(version)",
                hint: "save it with torch.save's default protocol")
        }
    }

    private mutating func long() throws(FileFormatError) -> Int {
        let bytes = try reader.take(Int(try reader.byte()))
        guard bytes.count <= 8 else { throw reader.malformed("an integer of more than 64 bits") }
        var value: UInt64 = bytes.last.map { $0 & 0x80 != 0 ? .max : 0 } ?? 0
        for byte in bytes.reversed() { value = value << 8 | UInt64(byte) }
        return Int(Int64(bitPattern: value))
    }

    private mutating func line() throws(FileFormatError) -> String {
        var length = 0
        while length < 512 {
            guard length < reader.remaining else { break }
            if reader.bytes[reader.offset + length] == 0x0A {
                let text = try reader.string(length)
                try reader.skip(1)
                return text
            }
            length += 1
        }
        throw reader.malformed("a name in the pickle has no end")
    }

    private mutating func stackGlobal() throws(FileFormatError) {
        let pair = try pop(2)
        guard case .string(let module) = pair[0], case .string(let name) = pair[1] else {
            throw reader.malformed("a name in the pickle is not text")
        }
        try global(module: module, name: name)
    }

    private mutating func global(module: String, name: String) throws(FileFormatError) {
        guard let global = PickleGlobal(module: module, name: name) else {
            throw .unsupported(
                path: reader.path, what: "the Python object \(module).\(name) inside a checkpoint",
                hint: "only tensors and dictionaries are read and nothing is ever run; "
                    + "save only the dictionary of tensors (state_dict)")
        }
        try push(.global(global))
    }

    private mutating func reduce() throws(FileFormatError) {
        let pair = try pop(2)
        guard case .global(let function) = pair[0], case .tuple(let arguments) = pair[1] else {
            throw reader.malformed("the pickle calls something that is not a known function")
        }
        switch function {
        case .orderedDictionary:
            let result = try node([])
            try push(.dictionary(result))
            if case .list(let pairs)? = arguments.items.first {
                for pair in pairs.items {
                    guard case .tuple(let entry) = pair, entry.items.count == 2 else {
                        throw reader.malformed("an ordered dictionary without pairs")
                    }
                    try setItems(entry.items)
                }
            }
        case .rebuildTensor: try push(.tensor(try tensor(arguments.items)))
        case .rebuildParameter:
            guard case .tensor(let tensor)? = arguments.items.first else {
                throw reader.malformed("a parameter without a tensor")
            }
            try push(.tensor(tensor))
        case .storageType: throw reader.malformed("the pickle calls a storage type")
        }
    }

    private func tensor(_ arguments: [PickleValue]) throws(FileFormatError) -> PickleTensor {
        guard arguments.count >= 4, case .storage(let storage) = arguments[0],
            case .int(let offset) = arguments[1], let shape = integers(arguments[2]),
            let strides = integers(arguments[3])
        else { throw reader.malformed("a tensor without storage, offset, size and stride") }
        return PickleTensor(storage: storage, offset: offset, shape: shape, strides: strides)
    }

    private func integers(_ value: PickleValue) -> [Int]? {
        guard case .tuple(let node) = value, node.items.count <= 32 else { return nil }
        var result: [Int] = []
        for case .int(let number) in node.items { result.append(number) }
        return result.count == node.items.count ? result : nil
    }

    private mutating func persistentID() throws(FileFormatError) {
        guard case .tuple(let node) = try pop(), node.items.count >= 5,
            case .string("storage") = node.items[0],
            case .global(.storageType(let type)) = node.items[1],
            case .string(let key) = node.items[2], case .int(let count) = node.items[4], count >= 0
        else { throw reader.malformed("a storage reference that is not one of PyTorch's") }
        try push(.storage(PickleStorage(type: type, key: key, count: count)))
    }

    // MARK: Stack, memo, containers

    private mutating func push(_ value: PickleValue) throws(FileFormatError) {
        guard stack.count < limits.stack else {
            throw tooLarge("the depth of the pickle stack", limits.stack)
        }
        stack.append(value)
    }

    private mutating func pop() throws(FileFormatError) -> PickleValue {
        guard stack.count > (marks.last ?? 0), let value = stack.popLast() else {
            throw reader.malformed("the pickle takes more than it has")
        }
        return value
    }

    private mutating func pop(_ count: Int) throws(FileFormatError) -> [PickleValue] {
        guard stack.count - (marks.last ?? 0) >= count else {
            throw reader.malformed("the pickle takes more than it has")
        }
        defer { stack.removeLast(count) }
        return Array(stack.suffix(count))
    }

    private mutating func popToMark() throws(FileFormatError) -> [PickleValue] {
        guard let mark = marks.popLast() else {
            throw reader.malformed("the pickle has an end without a beginning")
        }
        defer { stack.removeLast(stack.count - mark) }
        return Array(stack[mark...])
    }

    private mutating func node(_ items: [PickleValue]) throws(FileFormatError) -> PickleNode {
        guard containers.count < limits.containers else {
            throw tooLarge("the number of pickle containers", limits.containers)
        }
        let node = PickleNode(items)
        containers.append(node)
        return node
    }

    private mutating func pushTuple(_ count: Int) throws(FileFormatError) {
        try push(.tuple(try node(try pop(count))))
    }

    private mutating func pushString(_ count: Int) throws(FileFormatError) {
        try push(.string(try reader.string(count)))
    }

    private mutating func pushOpaque(_ count: Int) throws(FileFormatError) {
        try reader.skip(count)
        try push(.opaque)
    }

    private mutating func append(_ values: [PickleValue]) throws(FileFormatError) {
        guard case .list(let node)? = stack.last, stack.count > (marks.last ?? 0) else {
            throw reader.malformed("the pickle appends to something that is not a list")
        }
        node.items += values
    }

    private mutating func setItems(_ pairs: [PickleValue]) throws(FileFormatError) {
        guard case .dictionary(let node)? = stack.last, stack.count > (marks.last ?? 0),
            pairs.count % 2 == 0
        else { throw reader.malformed("the pickle sets entries of something without entries") }
        for index in stride(from: 0, to: pairs.count, by: 2) {
            node.keys.append(pairs[index])
            node.items.append(pairs[index + 1])
        }
    }

    private mutating func remember(_ index: UInt32) throws(FileFormatError) {
        guard let value = stack.last else {
            throw reader.malformed("the pickle remembers nothing")
        }
        guard memo.count < limits.memo else {
            throw tooLarge("the number of remembered pickle values", limits.memo)
        }
        memo[index] = value
    }

    private mutating func recall(_ index: UInt32) throws(FileFormatError) {
        guard let value = memo[index] else {
            throw reader.malformed("the pickle recalls what it never remembered")
        }
        try push(value)
    }

    private func tooLarge(_ what: String, _ limit: Int) -> FileFormatError {
        .tooLarge(path: reader.path, what: what, found: limit + 1, limit: limit)
    }
}
