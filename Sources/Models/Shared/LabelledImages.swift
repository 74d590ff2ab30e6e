// What the trainings and evaluations of the image systems read.
// SPDX-License-Identifier: Apache-2.0
import Core

/// Pictures of one size with class labels, by index.
public protocol LabelledImages: Sendable {
    var count: Int { get }
    /// Classes; labels are 0..<classCount.
    var classCount: Int { get }
    /// A picture of the model's size.
    func picture(_ index: Int) throws -> RGBImage
    func label(_ index: Int) -> Int
}

extension LabelledImages {
    /// Pictures as [B, 3, S, S] in [−1, 1].
    func tensor(_ indices: [Int]) throws -> Tensor { .images(try indices.map(picture)) }
    /// Labels of the same indices.
    func labels(_ indices: [Int]) -> [Int32] { indices.map { Int32(label($0)) } }
}

/// Pictures in memory.
public struct PictureList: LabelledImages {
    public let pictures: [RGBImage]
    public let labels: [Int]
    public let classCount: Int

    /// - Precondition: one label per picture, all below `classCount`.
    public init(_ pictures: [RGBImage], labels: [Int], classCount: Int) {
        precondition(pictures.count == labels.count, "one label per picture")
        self.pictures = pictures
        self.labels = labels
        self.classCount = classCount
    }

    public var count: Int { pictures.count }
    public func picture(_ index: Int) -> RGBImage { pictures[index] }
    public func label(_ index: Int) -> Int { labels[index] }
}
