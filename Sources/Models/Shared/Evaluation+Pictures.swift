// What a classifier says of many pictures.
// SPDX-License-Identifier: Apache-2.0
import Core

/// Features and class probabilities of a set of pictures.
struct ClassifiedPictures: Sendable {
    let features: FeatureMatrix
    /// Class probabilities, a row per picture.
    let probabilities: FeatureMatrix

    /// The likeliest class of a picture; the first on ties.
    func bestClass(_ index: Int) -> Int {
        let row = probabilities[index]
        var best = row.startIndex
        for i in row.indices where row[i] > row[best] { best = i }
        return best - row.startIndex
    }

    /// The share of pictures that are taken for the class wanted.
    func agreement(with labels: [Int]) -> Double {
        let right = labels.indices.reduce(0) { $0 + (bestClass($1) == labels[$1] ? 1 : 0) }
        return labels.isEmpty ? 0 : Double(right) / Double(labels.count)
    }
}

extension Evaluation {
    /// Pictures per forward pass of a classifier.
    static let classifierBatch = 250

    /// Classifies pictures of the classifier's size.
    ///
    /// - Throws: `CancellationError`.
    static func classify(
        _ pictures: [RGBImage], by classifier: ImageClassifier, cancellation: Cancellation
    ) throws -> ClassifiedPictures {
        var classified = empty(classifier)
        for start in stride(from: 0, to: pictures.count, by: classifierBatch) {
            try cancellation.check()
            let part = Array(pictures[start..<min(start + classifierBatch, pictures.count)])
            append(.images(part), to: &classified, classifier)
        }
        return ClassifiedPictures(features: classified.features, probabilities: classified.chances)
    }

    /// Classifies the first pictures of a data set.
    ///
    /// - Throws: errors of the pictures; `CancellationError`.
    static func classify(
        _ dataset: any Dataset, limit: Int? = nil, by classifier: ImageClassifier,
        cancellation: Cancellation
    ) throws -> ClassifiedPictures {
        var classified = empty(classifier)
        let count = min(dataset.count, limit ?? dataset.count)
        for start in stride(from: 0, to: count, by: classifierBatch) {
            try cancellation.check()
            let indices = Array(start..<min(start + classifierBatch, count))
            append(try dataset.batch(indices).images, to: &classified, classifier)
        }
        return ClassifiedPictures(features: classified.features, probabilities: classified.chances)
    }

    private static func empty(
        _ classifier: ImageClassifier
    ) -> (features: FeatureMatrix, chances: FeatureMatrix) {
        (
            FeatureMatrix(width: classifier.configuration.features),
            FeatureMatrix(width: classifier.configuration.classCount)
        )
    }

    private static func append(
        _ images: Tensor, to classified: inout (features: FeatureMatrix, chances: FeatureMatrix),
        _ classifier: ImageClassifier
    ) {
        withoutGradients {
            let features = classifier.features(images)
            classified.features.append(FeatureMatrix(features))
            classified.chances.append(
                FeatureMatrix(softmax(classifier.logits(features: features))))
        }
    }

    /// Pixels in 0…1 as feature vectors, 3·S² numbers a picture.
    static func pixels(_ pictures: [RGBImage]) -> FeatureMatrix {
        let width = 3 * (pictures.first.map { $0.width * $0.height } ?? 1)
        var values: [Float] = []
        values.reserveCapacity(width * pictures.count)
        for picture in pictures {
            for level in picture.pixels { values.append(Float(level) * (1 / 255)) }
        }
        return FeatureMatrix(width: width, values: values)
    }
}
