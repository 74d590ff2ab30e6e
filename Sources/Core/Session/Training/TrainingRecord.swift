// One line of a training's metrics. SPDX-License-Identifier: Apache-2.0
import Foundation

/// A line of `metrics.jsonl`: `{"step":20,"seconds":3.1,"kind":"training","loss":0.52,…}`.
public struct TrainingRecord: Sendable, Equatable {
    public enum Kind: String, Sendable {
        /// Means over the steps since the last such line.
        case training
        /// Figures of held-out data.
        case evaluation
        /// Pictures were made; `file` names them.
        case sample
    }

    public var kind: Kind
    public var step: Int
    /// Seconds of training since its process began, pauses not counted.
    public var seconds: Double
    /// Figures in their order; what is not finite is missing.
    public var values: [TrainingMetric]
    /// A picture, relative to the run folder.
    public var file: String?

    public init(
        kind: Kind, step: Int, seconds: Double, values: [TrainingMetric] = [], file: String? = nil
    ) {
        self.kind = kind
        self.step = step
        self.seconds = seconds
        self.values = values
        self.file = file
    }

    /// Reads a line; nil for one that is no such record.
    public init?(line: some Sequence<UInt8>) {
        guard let value = try? JSONValue(parsing: line), case .object(let members) = value,
            case .integer(let step)? = value["step"], step >= 0
        else { return nil }
        kind = .training
        self.step = step
        seconds = 0
        values = []
        for member in members {
            switch (member.key, member.value) {
            case ("step", _): break
            case ("kind", .string(let name)):
                guard let kind = Kind(rawValue: name) else { return nil }
                self.kind = kind
            case ("seconds", .integer(let number)): seconds = Double(number)
            case ("seconds", .number(let number)): seconds = number
            case ("file", .string(let path)):
                // A record never leads out of its folder.
                guard !path.hasPrefix("/"), !path.split(separator: "/").contains("..") else {
                    return nil
                }
                file = path
            case (let name, .integer(let number)): values.append(.init(name, Double(number)))
            case (let name, .number(let number)): values.append(.init(name, number))
            default: break
            }
        }
    }

    /// The line with its end; figures to six digits, those that are not finite left out.
    public var line: String {
        var fields = [
            "\"step\":\(step)", String(format: "\"seconds\":%.1f", seconds),
            "\"kind\":\"\(kind.rawValue)\"",
        ]
        if let file { fields.append("\"file\":" + JSONValue.string(file).text) }
        for metric in values where metric.value.isFinite {
            fields.append(
                JSONValue.string(metric.name).text + ":" + String(format: "%.6g", metric.value))
        }
        return "{" + fields.joined(separator: ",") + "}\n"
    }
}
