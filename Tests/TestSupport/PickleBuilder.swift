// Pickles of tensor dictionaries by hand. SPDX-License-Identifier: Apache-2.0

/// Writes the pickle (protocol 2) that `torch.save` writes for a state dict, without its memo.
public struct PickleBuilder {
    /// A tensor as the pickle describes it.
    public struct Tensor {
        public var storageType: String
        public var key: String
        public var storageCount: Int
        public var offset: Int
        public var shape: [Int]
        public var strides: [Int]
        public var isParameter = false

        public init(
            storageType: String = "FloatStorage", key: String, storageCount: Int, offset: Int = 0,
            shape: [Int], strides: [Int]
        ) {
            self.storageType = storageType
            self.key = key
            self.storageCount = storageCount
            self.offset = offset
            self.shape = shape
            self.strides = strides
        }
    }

    /// What a dictionary may hold.
    public indirect enum Value {
        case tensor(Tensor)
        case dictionary([(String, Value)])
        case int(Int)
        case string(String)
        case raw([UInt8])
    }

    private var out = ByteBuilder()

    /// The pickle of a dictionary, with a BUILD of `_metadata` at its end as a state dict has.
    public static func stateDictionary(_ entries: [(String, Value)]) -> [UInt8] {
        var builder = PickleBuilder()
        builder.out.add([0x80, 2])
        builder.write(.dictionary(entries))
        builder.out.add("}")
        builder.write(.string("_metadata"))
        builder.out.add("}sb.")
        return builder.out.bytes
    }

    /// A pickle of the given opcodes between protocol and stop.
    public static func raw(_ opcodes: [UInt8]) -> [UInt8] {
        [0x80, 2] + opcodes + [UInt8(ascii: ".")]
    }

    private mutating func write(_ value: Value) {
        switch value {
        case .int(let number): write(number)
        case .string(let text):
            out.add("X")
            out.little(UInt32(text.utf8.count))
            out.add(text)
        case .dictionary(let entries):
            out.add("ccollections\nOrderedDict\n)R(")
            for (key, value) in entries {
                write(.string(key))
                write(value)
            }
            out.add("u")
        case .tensor(let tensor): write(tensor)
        case .raw(let bytes): out.add(bytes)
        }
    }

    private mutating func write(_ tensor: Tensor) {
        if tensor.isParameter { out.add("ctorch._utils\n_rebuild_parameter\n(") }
        out.add("ctorch._utils\n_rebuild_tensor_v2\n((")
        write(.string("storage"))
        out.add("ctorch\n\(tensor.storageType)\n")
        write(.string(tensor.key))
        write(.string("cpu"))
        write(tensor.storageCount)
        out.add("tQ")
        write(tensor.offset)
        write(tensor.shape)
        write(tensor.strides)
        out.add([0x89])
        out.add("ccollections\nOrderedDict\n)RtR")
        if tensor.isParameter {
            out.add([0x88])
            out.add("ccollections\nOrderedDict\n)RtR")
        }
    }

    private mutating func write(_ numbers: [Int]) {
        out.add("(")
        for number in numbers { write(number) }
        out.add("t")
    }

    private mutating func write(_ number: Int) {
        out.add([0x8a, 8])
        out.little(Int64(number))
    }
}
